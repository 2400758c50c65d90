"""Every address of the portal."""

from __future__ import annotations

from allauth.account import views as accounts
from django.urls import path

from notices.urls import notice_patterns
from portal import health
from records import views as records
from rollbacks.views import pages, requests, running, signing

# Only the account pages that the portal uses: there is no sign-up and no e-mail management.
account_patterns = [
    path("accounts/login/", accounts.login, name="account_login"),
    path("accounts/logout/", accounts.logout, name="account_logout"),
    path("accounts/reauthenticate/", accounts.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", accounts.password_change, name="account_change_password"),
    path("accounts/inactive/", accounts.account_inactive, name="account_inactive"),
]

urlpatterns = [
    path("", pages.home, name="home"),
    path("targets/", pages.target_list, name="targets"),
    path("targets/<slug:name>/", pages.target_page, name="target"),
    path("targets/<slug:name>/read/", pages.read_again, name="target-read"),
    path("targets/<slug:name>/request/", requests.new_request, name="request-new"),
    path("requests/", pages.request_list, name="requests"),
    path("requests/<int:pk>/", requests.request_detail, name="request"),
    path("requests/<int:pk>/edit/", requests.edit, name="request-edit"),
    path("requests/<int:pk>/checklist/<slug:item>/", requests.answer, name="request-answer"),
    path("requests/<int:pk>/prove/", requests.prove, name="request-prove"),
    path("requests/<int:pk>/proof/", requests.proof_panel, name="request-proof"),
    path("requests/<int:pk>/submit/", requests.submit, name="request-submit"),
    path("requests/<int:pk>/withdraw/", requests.withdraw, name="request-withdraw"),
    path("requests/<int:pk>/revisions/<int:number>/", requests.compare, name="request-compare"),
    path("requests/<int:pk>/files/<int:attachment_pk>/", requests.attachment, name="request-file"),
    path("requests/<int:pk>/sign/", signing.sign, name="request-sign"),
    path("requests/<int:pk>/start/", running.start, name="request-start"),
    path("requests/<int:pk>/run/", running.run, name="run"),
    path("requests/<int:pk>/resume/", running.resume, name="request-resume"),
    path("records/", records.record_list, name="records"),
    path("records/<int:pk>/", records.record_page, name="record"),
    path("records/<int:pk>/record.json", records.record_json, name="record-json"),
    path("records/<int:pk>/record.md", records.record_markdown, name="record-markdown"),
    path("trail/", records.trail_page, name="trail"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    *account_patterns,
    *notice_patterns,
]
