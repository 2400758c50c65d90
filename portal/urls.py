"""Every address of the portal."""

from __future__ import annotations

from allauth.account import views as accounts
from django.conf import settings
from django.urls import include, path

from approvals import views as people
from notices.urls import notice_patterns
from portal import health
from records import views as records
from rollbacks.api import portal as api
from rollbacks.views import follow_ups, governance, pages, requests, running, signing, tokens

# Only the account pages that the portal uses: there is no sign-up and no e-mail management.
account_patterns = [
    path("accounts/login/", accounts.login, name="account_login"),
    path("accounts/logout/", accounts.logout, name="account_logout"),
    path("accounts/reauthenticate/", accounts.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", accounts.password_change, name="account_change_password"),
    path("accounts/inactive/", accounts.account_inactive, name="account_inactive"),
    path("accounts/2fa/", include("allauth.mfa.urls")),
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
    path("requests/<int:pk>/sign/begin/", signing.begin, name="request-sign-begin"),
    path("requests/<int:pk>/start/", running.start, name="request-start"),
    path("requests/<int:pk>/run/", running.run, name="run"),
    path("requests/<int:pk>/resume/", running.resume, name="request-resume"),
    path("requests/<int:pk>/take-back/", signing.take_back, name="request-take-back"),
    path("requests/<int:pk>/comment/", signing.comment, name="request-comment"),
    path("policy/", governance.policy, name="policy"),
    path("emergencies/", governance.emergencies, name="emergencies"),
    path("emergencies/<int:pk>/", governance.review, name="emergency"),
    path("emergencies/<int:pk>/own/", governance.own, name="emergency-own"),
    path("follow-ups/", follow_ups.follow_up_list, name="follow-ups"),
    path("follow-ups/<int:pk>/", follow_ups.follow_up, name="follow-up"),
    path("follow-ups/<int:pk>/sign/", follow_ups.sign, name="follow-up-sign"),
    path("follow-ups/<int:pk>/sign/begin/", follow_ups.begin, name="follow-up-sign-begin"),
    path("follow-ups/<int:pk>/acceptance.json", follow_ups.acceptance, name="follow-up-acceptance"),
    path("people/", people.people_list, name="people"),
    path("people/<int:pk>/", people.person_page, name="person"),
    path("people/<int:pk>/propose/", people.propose, name="person-propose"),
    path("people/<int:pk>/account/", people.account, name="person-account"),
    path("people/<int:pk>/delegate/", people.delegate_for, name="person-delegate"),
    path("grants/<int:pk>/confirm/", people.confirm_grant, name="grant-confirm"),
    path("grants/<int:pk>/refuse/", people.refuse_grant, name="grant-refuse"),
    path("grants/<int:pk>/end/", people.end_grant, name="grant-end"),
    path("delegations/", people.my_delegations, name="delegations"),
    path("delegations/<int:pk>/confirm/", people.confirm_delegation, name="delegation-confirm"),
    path("delegations/<int:pk>/end/", people.end_delegation, name="delegation-end"),
    path("records/", records.record_list, name="records"),
    path("records/<int:pk>/", records.record_page, name="record"),
    path("records/<int:pk>/record.json", records.record_json, name="record-json"),
    path("records/<int:pk>/record.md", records.record_markdown, name="record-markdown"),
    path("trail/", records.trail_page, name="trail"),
    path("tokens/", tokens.token_list, name="tokens"),
    path("tokens/new/", tokens.new_token, name="token-new"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="token-revoke"),
    path("api/v1/docs", api.docs, name="api-docs"),
    path("api/v1/", api.urls),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    *account_patterns,
    *notice_patterns,
]

if settings.DEMO:
    # Not even the address exists elsewhere: the page tells everybody's codes.
    from portal.demo_authenticator import demo_authenticator

    urlpatterns += [path("demo/authenticator/", demo_authenticator, name="demo-authenticator")]
