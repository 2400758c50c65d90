"""The offline check of signatures: a real signature holds, and no part of it can be exchanged."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2.cose import ES256, ES384, PS256, RS256, CoseKey, EdDSA
from fido2.utils import sha256 as digest_bytes
from fido2.utils import websafe_encode
from fido2.webauthn import AuthenticatorData, CollectedClientData

from records.chain import canonical, sha256

SCRIPT = Path(__file__).parents[2] / "tools" / "verify_signature.py"
PLAN = {"format": 2, "request": 7, "file": {"text": "DROP TABLE “ü”;\n"}, "z": None, "A": [True, 1]}
Signer = Callable[[bytes], bytes]


def es256() -> tuple[CoseKey, Signer]:
    key = ec.generate_private_key(ec.SECP256R1())
    return ES256.from_cryptography_key(key.public_key()), lambda text: key.sign(text, ec.ECDSA(hashes.SHA256()))


def es384() -> tuple[CoseKey, Signer]:
    key = ec.generate_private_key(ec.SECP384R1())
    return ES384.from_cryptography_key(key.public_key()), lambda text: key.sign(text, ec.ECDSA(hashes.SHA384()))


def ed() -> tuple[CoseKey, Signer]:
    key = ed25519.Ed25519PrivateKey.generate()
    return EdDSA.from_cryptography_key(key.public_key()), key.sign


def rs256() -> tuple[CoseKey, Signer]:
    key = rsa.generate_private_key(65537, 2048)
    return RS256.from_cryptography_key(key.public_key()), lambda text: key.sign(
        text, padding.PKCS1v15(), hashes.SHA256()
    )


def ps256() -> tuple[CoseKey, Signer]:
    key = rsa.generate_private_key(65537, 2048)
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return PS256.from_cryptography_key(key.public_key()), lambda text: key.sign(text, scheme, hashes.SHA256())


def record(key: CoseKey, sign: Signer, *, flags: int = 5, origin: str = "https://portal.example") -> dict[str, Any]:
    """Return a change record, as far as the script reads it, with one vote by passkey and one by code."""
    digest, reason = sha256(canonical(PLAN)), "Read “it” twice. ü"
    statement = {
        "format": 1, "subject": "request:7", "digest": digest, "role": "cto", "choice": "approve",
        "reason_sha256": sha256(reason), "person": 3, "nonce": "ab" * 32,
    }  # fmt: skip
    client = CollectedClientData.create("webauthn.get", digest_bytes(canonical(statement).encode()), origin)
    told = AuthenticatorData.create(digest_bytes(b"portal.example"), flags, 0)
    from fido2 import cbor

    confirmation = {
        "statement": statement, "rp_id": "portal.example", "origin": origin,
        "public_key": websafe_encode(cbor.encode(dict(key))), "clientDataJSON": websafe_encode(client),
        "authenticatorData": websafe_encode(told), "signature": websafe_encode(sign(told + client.hash)),
    }  # fmt: skip
    vote = {
        "person": {"id": 3, "username": "carine"}, "role": "cto", "choice": "approve", "reason": reason,
        "digest": digest, "method": "webauthn", "confirmation": confirmation,
    }  # fmt: skip
    by_code = {
        **vote,
        "role": "platform",
        "person": {"id": 2, "username": "paul"},
        "method": "totp",
        "confirmation": {},
    }
    return {"request": {"id": 7}, "plan": PLAN, "digest": digest, "sign_off": {"votes": [vote, by_code]}}


def run(document: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "record.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return subprocess.run([sys.executable, "-I", str(SCRIPT), str(file)], capture_output=True, text=True, env={})


@pytest.mark.parametrize("kind", [es256, es384, ed, rs256, ps256])
def test_a_signature_holds_offline_with_every_kind_of_key(
    kind: Callable[[], tuple[CoseKey, Signer]], tmp_path: Path
) -> None:
    document = record(*kind())
    said = run(document, tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("HOLDS") == 2 and "NOT CHECKED  platform approve by paul" in said.stdout
    assert run(document["sign_off"]["votes"][0], tmp_path).returncode == 0


def other_key(vote: dict[str, Any]) -> None:
    vote["confirmation"] |= {"public_key": record(*es256())["sign_off"]["votes"][0]["confirmation"]["public_key"]}


def restated(**parts: Any) -> Callable[[dict[str, Any]], None]:
    """Change the vote and its statement alike, as somebody would who can write the record and holds no key."""

    def change(vote: dict[str, Any]) -> None:
        vote["confirmation"]["statement"] |= parts
        vote |= {name: value for name, value in parts.items() if name in vote and name != "person"}

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda vote: vote.update(role="security"), "another role"),
        (lambda vote: vote.update(choice="reject"), "another choice"),
        (lambda vote: vote.update(reason="Other."), "another reason_sha256"),
        (lambda vote: vote["person"].update(id=4), "another person"),
        (lambda vote: vote.update(digest="0" * 64), "another digest"),
        (restated(role="security"), "signed another statement"),
        (restated(choice="reject"), "signed another statement"),
        (restated(nonce="cd" * 32), "signed another statement"),
        (restated(subject="request:8"), "another subject"),
        (restated(more="x"), "another more"),
        (other_key, "not made by this key"),
        (lambda vote: vote["confirmation"].update(signature="AAAA"), "not made by this key"),
        (lambda vote: vote["confirmation"].update(rp_id="evil.example"), "another site"),
        (lambda vote: vote["confirmation"].update(origin="https://evil.example"), "another page"),
    ],
)  # fmt: skip
def test_no_part_can_be_exchanged(change: Callable[[dict[str, Any]], None], sentence: str, tmp_path: Path) -> None:
    document = copy.deepcopy(record(*es256()))
    change(document["sign_off"]["votes"][0])
    said = run(document, tmp_path)
    assert said.returncode == 1 and sentence in said.stdout, said.stdout


def test_another_plan_an_unverified_person_another_site_and_no_record_are_told(tmp_path: Path) -> None:
    document = record(*es256())
    said = run({**document, "plan": {**PLAN, "request": 8}}, tmp_path)
    assert said.returncode == 1 and "another digest than the one that was signed" in said.stdout
    said = run(record(*es256(), flags=1), tmp_path)
    assert said.returncode == 1 and "did not verify the person" in said.stdout
    said = run(record(*es256(), origin="https://portal.example.evil.example"), tmp_path)
    assert said.returncode == 1 and "page of another site" in said.stdout
    document["sign_off"]["votes"].pop(0)
    assert run(document, tmp_path).returncode == 1
    for text in ("", "[]", "{}", "7", '{"confirmation": 1}', '{"sign_off": {"votes": [{}]}}'):
        said = run(text, tmp_path)
        assert said.returncode == 1 and "NOT CHECKED" in said.stdout and not said.stderr, text


def test_the_script_needs_one_package_only() -> None:
    heads = {
        line.split()[1].split(".")[0]
        for line in SCRIPT.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert heads - set(sys.stdlib_module_names) == {"cryptography"}
