"""Step-up at the moment of signing: a person proves who they are for exactly one statement, once, within five minutes.

The statement says what is signed: request, digest, role, choice, reason and person. A passkey signs the SHA-256
of its canonical JSON, so what the authenticator signed can be checked offline by anybody who has the record
(tools/verify_signature.py). A code of an authenticator app shows presence only; its binding to the statement
is the portal's word. Recovery codes never sign.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import validate_totp_code
from allauth.mfa.utils import decrypt
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

from approvals.models import Challenge
from records.chain import canonical, sha256

FORMAT = 1
WEBAUTHN, TOTP = "webauthn", "totp"
ENROL = "mfa_index"
# What reading a hostile answer of a browser may raise in the library, beside its own refusals.
UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError)


class NotConfirmed(Exception):
    """The person did not prove who they are; the sentence says what to do, `link` names the page to do it on."""

    def __init__(self, sentence: str, *, link: str = "") -> None:
        super().__init__(sentence)
        self.link = link


@dataclass(frozen=True)
class Statement:
    """What one person is about to sign; `subject` in the form kind:id, white space around the reason is no part of it."""

    person: int
    subject: str
    digest: str
    role: str
    choice: str
    reason: str = ""

    def document(self, nonce: str) -> dict[str, Any]:
        """Return the parts that are signed, as JSON; `nonce` is 64 hexadecimal digits."""
        return {
            "format": FORMAT,
            "subject": self.subject,
            "digest": self.digest,
            "role": self.role,
            "choice": self.choice,
            "reason_sha256": sha256(self.reason.strip()),
            "person": self.person,
            "nonce": nonce,
        }


@dataclass(frozen=True)
class Asked:
    """A challenge that was made, and the options that the browser gives to the authenticator."""

    challenge: int
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Confirmation:
    """One proof of presence for one statement. `at` is the database's time; `evidence` is kept with the vote."""

    method: str
    at: datetime
    challenge: int
    evidence: Mapping[str, Any]


def factors_of(person: Any) -> frozenset[str]:
    """Return the kinds of factor that the person could sign with now: "webauthn", "totp", both or none."""
    kinds = Authenticator.objects.filter(user_id=person.pk, type__in=(WEBAUTHN, TOTP)).values_list("type", flat=True)
    return frozenset(kinds)


def begin(statement: Statement, *, rp_id: str) -> Asked:
    """Make a challenge for the person's passkeys; it can be answered once, within five minutes.

    `rp_id` is the host name that the passkeys were enrolled under. Raises NotConfirmed when there is none.
    """
    credentials = list(_credentials(statement.person))
    if not credentials:
        raise _not_enrolled(statement.person, _("You have no passkey yet."))
    made = _make(statement, rp_id)
    options, _state = _server(rp_id).authenticate_begin(
        [credential for _pk, credential in credentials],
        UserVerificationRequirement.REQUIRED,
        challenge=_signed_bytes(statement, made),
    )
    return Asked(made.pk, dict(options)["publicKey"])


def confirm_webauthn(statement: Statement, *, challenge: int, response: Mapping[str, Any]) -> Confirmation:
    """Check that one of the person's own passkeys signed exactly this statement, with the user verified.

    Raises NotConfirmed when the challenge is another person's, another statement's, used or expired, when the
    signature does not hold, or when the passkey's counter went back. Writes nothing: see `claim`.
    """
    made, at = _usable(statement, challenge)
    state = {
        "challenge": websafe_encode(_signed_bytes(statement, made)),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
    credentials = {credential.credential_id: (pk, credential) for pk, credential in _credentials(statement.person)}
    try:
        answer = AuthenticationResponse.from_dict(response)
        signer = _server(made.rp_id).authenticate_complete(
            state, [credential for _pk, credential in credentials.values()], answer
        )
        if answer.response.client_data.cross_origin:
            raise ValueError("Signed inside another site's frame.")
    except UNREADABLE as error:
        raise NotConfirmed(
            _("The passkey's answer does not confirm this vote; sign again with a passkey of yours.")
        ) from error
    pk, credential = credentials[signer.credential_id]
    count = answer.response.authenticator_data.counter
    evidence = {
        "statement": statement.document(made.nonce),
        "rp_id": made.rp_id,
        "origin": answer.response.client_data.origin,
        "authenticator": pk,
        "credential_id": websafe_encode(credential.credential_id),
        "public_key": websafe_encode(_public_key(credential)),
        "clientDataJSON": websafe_encode(bytes(answer.response.client_data)),
        "authenticatorData": websafe_encode(bytes(answer.response.authenticator_data)),
        "signature": websafe_encode(answer.response.signature),
        "sign_count": count,
    }
    _refuse_copy(Authenticator.objects.get(pk=pk), count)
    return Confirmation(WEBAUTHN, at, made.pk, evidence)


def confirm_totp(statement: Statement, code: str) -> Confirmation:
    """Check a code of the person's authenticator app and bind it to the statement; a code works once for anything.

    The code is used up even when the vote is refused afterwards. Raises NotConfirmed when the person has no
    app enrolled, when the code is wrong, or when it was used before, to sign in or to sign.
    """
    authenticator = Authenticator.objects.filter(user_id=statement.person, type=TOTP).first()
    if authenticator is None:
        raise _not_enrolled(statement.person, _("You have no authenticator app yet."))
    code = "".join(code.split())
    # allauth marks the code in the shared cache by one atomic “add”, at sign-in and here alike.
    if not authenticator.wrap().validate_code(code):
        if validate_totp_code(decrypt(authenticator.data["secret"]), code):
            raise NotConfirmed(_("This code was used already; wait for the next one and enter that."))
        raise NotConfirmed(_("This code is wrong or no longer valid; enter the one that your app shows now."))
    authenticator.record_usage()
    made, at = _usable(statement, _make(statement, "").pk)
    return Confirmation(
        TOTP, at, made.pk, {"statement": statement.document(made.nonce), "authenticator": authenticator.pk}
    )


def claim(statement: Statement, confirmation: Confirmation) -> None:
    """Use the confirmation's challenge up, in the transaction of the vote that it confirms.

    Two votes with one challenge are one vote: the second finds it used. Raises NotConfirmed.
    """
    used = Challenge.objects.filter(
        pk=confirmation.challenge,
        person=statement.person,
        subject=statement.subject,
        digest=statement.digest,
        role=statement.role,
        choice=statement.choice,
        reason_sha256=sha256(statement.reason.strip()),
        used_at__isnull=True,
        expires_at__gt=Now(),
    ).update(used_at=Now())
    if used != 1:
        _usable(statement, confirmation.challenge)
        raise NotConfirmed(_("This confirmation does not belong to this vote; confirm it again."))
    if confirmation.method == WEBAUTHN:
        _keep_count(confirmation.evidence)


def evidence_digest(confirmation: Confirmation) -> str:
    """Return the SHA-256 of the evidence's canonical JSON, which the trail carries instead of the evidence."""
    return sha256(canonical(dict(confirmation.evidence)))


def _make(statement: Statement, rp_id: str) -> Challenge:
    return Challenge.objects.create(
        person_id=statement.person,
        subject=statement.subject,
        digest=statement.digest,
        role=statement.role,
        choice=statement.choice,
        reason_sha256=sha256(statement.reason.strip()),
        nonce=secrets.token_hex(32),
        rp_id=rp_id,
    )


def _usable(statement: Statement, pk: int) -> tuple[Challenge, datetime]:
    """Return the challenge with the database's time if it can confirm the statement now; else say why not."""
    made = Challenge.objects.filter(pk=pk, person=statement.person).annotate(now=Now()).first()
    if made is None:
        raise NotConfirmed(_("This confirmation was not asked of you; open the page again and confirm there."))
    if made.subject != statement.subject:
        raise NotConfirmed(_("This confirmation was given for another request; confirm this one by itself."))
    if made.digest != statement.digest:
        raise NotConfirmed(
            _("This confirmation was given for another digest; read the plan as it is now and confirm it.")
        )
    if (made.role, made.choice, made.reason_sha256) != (
        statement.role, statement.choice, sha256(statement.reason.strip())
    ):  # fmt: skip
        raise NotConfirmed(_("Role, decision or reason changed after you confirmed; confirm them as they are now."))
    if made.used_at is not None:
        raise NotConfirmed(_("This confirmation was used already; each one counts once."))
    if made.expires_at <= made.now:
        raise NotConfirmed(_("This confirmation is older than five minutes; confirm again."))
    return made, made.now


def _not_enrolled(person: int, otherwise: str) -> NotConfirmed:
    """Say what to enrol: the missing factor, or any when the person has none at all."""
    if Authenticator.objects.filter(user_id=person, type__in=(WEBAUTHN, TOTP)).exists():
        return NotConfirmed(_("%(sentence)s Use your other factor, or enrol it.") % {"sentence": otherwise}, link=ENROL)
    return NotConfirmed(
        _("You have no second factor, and signing needs one: enrol a passkey or an authenticator app, then sign."),
        link=ENROL,
    )


def _credentials(person: int) -> list[tuple[int, AttestedCredentialData]]:
    rows = Authenticator.objects.filter(user_id=person, type=WEBAUTHN).order_by("pk")
    found = ((row.pk, row.wrap().authenticator_data.credential_data) for row in rows)
    return [(pk, credential) for pk, credential in found if credential is not None]


def _server(rp_id: str) -> Fido2Server:
    # The library's own check of the origin: HTTPS under this name, or http on localhost.
    return Fido2Server(PublicKeyCredentialRpEntity(id=rp_id, name=rp_id))


def _signed_bytes(statement: Statement, made: Challenge) -> bytes:
    return hashlib.sha256(canonical(statement.document(made.nonce)).encode()).digest()


def _public_key(credential: AttestedCredentialData) -> bytes:
    """Return the COSE key as the authenticator gave it: what follows AAGUID, length and id (WebAuthn 3, 6.5.2)."""
    return bytes(credential)[16 + 2 + len(credential.credential_id) :]


def _refuse_copy(authenticator: Any, count: int) -> None:
    """A counter that does not grow means that two devices hold the key (WebAuthn 3, 7.2 step 22); 0 is no counter."""
    kept = authenticator.data.get("sign_count", authenticator.wrap().authenticator_data.counter)
    if (count or kept) and count <= kept:
        raise NotConfirmed(
            _("The passkey's counter went back, so it may have been copied; remove it and enrol a new one."), link=ENROL
        )


def _keep_count(evidence: Mapping[str, Any]) -> None:
    authenticator = Authenticator.objects.select_for_update().filter(pk=evidence["authenticator"]).first()
    if authenticator is None:
        raise NotConfirmed(_("This passkey was removed; sign with another factor."), link=ENROL)
    _refuse_copy(authenticator, evidence["sign_count"])
    authenticator.data["sign_count"] = evidence["sign_count"]
    authenticator.last_used_at = Now()
    authenticator.save(update_fields=["data", "last_used_at"])
