"""An authenticator in software: it enrols and signs as a passkey does, with real keys over real statements."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from approvals import step_up

HOST, ORIGIN = "localhost", "http://localhost:8000"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
_KEPT: dict[int, Passkey] = {}
_LOCK = threading.Lock()


class Passkey:
    """One credential of one person. `counts` False behaves like a passkey that is synchronised between devices."""

    def __init__(self, *, counts: bool = False) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.counts, self.count = counts, 0

    def enrol(self, person: Any) -> Authenticator:
        """Keep the credential for the person in the row that allauth's enrolment page would write."""
        credential = AttestedCredentialData.create(
            Aaguid.NONE, self.id, ES256.from_cryptography_key(self.key.public_key())
        )
        told = AuthenticatorData.create(sha256(HOST.encode()), PRESENT | VERIFIED | ATTESTED, 0, credential)
        client = CollectedClientData.create("webauthn.create", secrets.token_bytes(32), ORIGIN)
        answer = {
            "id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(AttestationObject.create("none", told, {})),
            },
        }  # fmt: skip
        row: Authenticator = Authenticator.objects.create(
            user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Test", "credential": answer}
        )
        return row

    def answer(
        self,
        options: Mapping[str, Any],
        *,
        kind: str = "webauthn.get",
        origin: str = ORIGIN,
        flags: int = PRESENT | VERIFIED,
        **client: Any,
    ) -> dict[str, Any]:
        """Sign the challenge of the options and return what a browser would post."""
        self.count += self.counts
        told = AuthenticatorData.create(sha256(options["rpId"].encode()), flags, self.count)
        said = CollectedClientData.create(kind, websafe_decode(options["challenge"]), origin, **client)
        return {
            "id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": websafe_encode(said), "authenticatorData": websafe_encode(told),
                "signature": websafe_encode(self.key.sign(told + said.hash, ec.ECDSA(hashes.SHA256()))),
            },
        }  # fmt: skip


def passkey_of(person: Any) -> Passkey:
    """Return the person's passkey, enrolled when they have none."""
    with _LOCK:
        kept = _KEPT.get(person.pk)
        rows = Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN)
        if kept is None or websafe_encode(kept.id) not in [row.data["credential"]["id"] for row in rows]:
            kept = _KEPT[person.pk] = Passkey()
            kept.enrol(person)
        return kept


def confirmed(statement: step_up.Statement, person: Any) -> step_up.Confirmation:
    """Have the person's passkey confirm the statement."""
    asked = step_up.begin(statement, rp_id=HOST)
    response = passkey_of(person).answer(asked.options)
    return step_up.confirm_webauthn(statement, challenge=asked.challenge, response=response)
