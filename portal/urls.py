"""Every address of the portal."""

from __future__ import annotations

from allauth.account import views as accounts
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as sso
from allauth.socialaccount.providers.github import views as github
from allauth.socialaccount.providers.openid_connect import views as openid
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.urls import path

from approvals import views as people
from notices.urls import notice_patterns
from portal import account_pages, health
from portal.admin_site import site
from records import views as records
from recoveries.urls import recovery_patterns
from rollbacks.api import portal as api
from rollbacks.views import backups, follow_ups, governance, pages, project, requests, running, signing, tokens

# Only the account pages that the portal uses, under allauth's names: no sign-up, no e-mail management, no linking.
account_patterns = [
    path("accounts/login/", accounts.login, name="account_login"),
    path("accounts/logout/", accounts.logout, name="account_logout"),
    path("accounts/reauthenticate/", accounts.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", account_pages.change_password, name="account_change_password"),
    path("accounts/inactive/", accounts.account_inactive, name="account_inactive"),
    path("accounts/security/", account_pages.security, name="mfa_index"),
    path("accounts/sessions/end/", account_pages.end_sessions, name="account_end_sessions"),
    path("accounts/2fa/authenticate/", factors.authenticate, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", factors.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/2fa/app/add/", account_pages.activate_app, name="mfa_activate_totp"),
    path("accounts/2fa/app/remove/", account_pages.deactivate_app, name="mfa_deactivate_totp"),
    path("accounts/2fa/codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("accounts/2fa/codes/new/", account_pages.generate_codes, name="mfa_generate_recovery_codes"),
    path("accounts/2fa/passkeys/add/", account_pages.add_passkey, name="mfa_add_webauthn"),
    path("accounts/2fa/passkeys/<int:pk>/remove/", account_pages.remove_passkey, name="mfa_remove_webauthn"),
    path("accounts/2fa/passkeys/login/", login_not_required(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("accounts/2fa/passkeys/reauthenticate/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
]
sso_patterns = [
    path("accounts/sso/<slug:provider_id>/login/", openid.login, name="openid_connect_login"),
    path("accounts/sso/<slug:provider_id>/login/callback/", openid.callback, name="openid_connect_callback"),
    path("accounts/sso/cancelled/", sso.login_cancelled, name="socialaccount_login_cancelled"),
    path("accounts/sso/error/", login_not_required(sso.login_error), name="socialaccount_login_error"),
]
if settings.GITHUB_CLIENT_ID:
    sso_patterns += [
        path("accounts/github/login/", github.oauth2_login, name="github_login"),
        path("accounts/github/login/callback/", github.oauth2_callback, name="github_callback"),
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
    path("requests/<int:pk>/runs/<int:number>/patch/", project.patch, name="run-patch"),
    path("requests/<int:pk>/check-flags/", project.check_flags, name="request-flags"),
    path("requests/<int:pk>/resume/", running.resume, name="request-resume"),
    path("requests/<int:pk>/cancel/", running.cancel, name="request-cancel"),
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
    path("backups/", backups.backup_list, name="backups"),
    path("backups/<int:pk>/", backups.backup, name="backup"),
    path("backups/<int:pk>/hold/", backups.hold, name="backup-hold"),
    path("backups/<int:pk>/holds/<int:number>/lift/", backups.lift, name="backup-lift"),
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
    path("admin/", site.urls),
    *account_patterns,
    *sso_patterns,
    *notice_patterns,
    *recovery_patterns,
]

handler500 = "portal.outage.answer"

if settings.DEMO:
    # Not even the address exists elsewhere: the page tells everybody's codes.
    from portal.demo_authenticator import demo_authenticator

    urlpatterns += [path("demo/authenticator/", demo_authenticator, name="demo-authenticator")]
