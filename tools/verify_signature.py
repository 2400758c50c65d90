#!/usr/bin/env python3
"""Say of each passkey vote in a change record whether the authenticator signed exactly this digest, role and decision.

    python verify_signature.py record.json            a change record as the portal exports it
    python verify_signature.py acceptance.json        the acceptance of a follow-up, downloaded from its page
    python verify_signature.py vote.json              one vote out of either

Needs Python 3.11 and the package `cryptography`, nothing of the portal. Exit code 0: every vote by passkey holds
and the plan or statement has the digest that was signed. Exit code 1: something does not hold, or there is nothing to check.
docs/verify-signatures.md says what this shows and what it cannot show.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PRESENT, VERIFIED = 0x01, 0x04
CURVES = {1: ec.SECP256R1, 2: ec.SECP384R1, 3: ec.SECP521R1}
HASHES = {-7: hashes.SHA256, -35: hashes.SHA384, -36: hashes.SHA512, -257: hashes.SHA256, -37: hashes.SHA256}


class Wrong(Exception):
    """The vote does not hold; the sentence says which part."""


def main(arguments):
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 1
    try:
        with open(arguments[0], encoding="utf-8") as file:
            document = json.load(file)
        return report(document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        print(f"NOT CHECKED  This is no change record and no vote: {error!r}")
        return 1


def report(document):
    """Print one line for each vote and return the exit code."""
    votes = [document] if "confirmation" in document else document["sign_off"]["votes"]
    held = wrong = 0
    for part in ("plan", "statement"):
        if part in document:
            wrong += check_digest(document, part)
    for vote in votes:
        who = f"{vote['role']} {vote['choice']} by {vote['person']['username']} (person {vote['person']['id']})"
        if vote.get("method") != "webauthn":
            print(
                f"NOT CHECKED  {who}: confirmed by {vote.get('method')}, which leaves no signature; the trail vouches for it."
            )
            continue
        try:
            check_vote(vote, document.get("digest", vote["digest"]), subject_of(document))
        except Wrong as reason:
            wrong += 1
            print(f"WRONG        {who}: {reason}")
        else:
            held += 1
            print(f"HOLDS        {who}: digest {vote['digest']}, {described(vote['confirmation'])}")
    if not held and not wrong:
        print("Nothing to check: no vote was confirmed by a passkey.")
    return 0 if held and not wrong else 1


def subject_of(document):
    return f"request:{document['request']['id']}" if "request" in document else document.get("subject")


def check_digest(document, part):
    """Return 1 when the plan or statement in the record is not the one that has the record's digest."""
    if hashlib.sha256(canonical(document[part])).hexdigest() == document["digest"]:
        print(f"HOLDS        the {part} in this record has the digest {document['digest']}")
        return 0
    print(f"WRONG        the {part} in this record has another digest than the one that was signed")
    return 1


def described(evidence):
    key = hashlib.sha256(decode(evidence["public_key"])).hexdigest()
    return f"signed at {evidence['origin']} with key sha256:{key}"


def check_vote(vote, digest, subject):
    """Raise Wrong unless the authenticator signed this vote, on this digest, about this subject."""
    evidence = vote["confirmation"]
    said = evidence["statement"]
    wanted = {
        "format": 1,
        "digest": digest,
        "role": vote["role"],
        "choice": vote["choice"],
        "reason_sha256": hashlib.sha256(vote["reason"].encode()).hexdigest(),
        "person": vote["person"]["id"],
        "subject": said["subject"] if subject is None else subject,
        "nonce": said["nonce"],
    }
    for name in sorted(wanted.keys() | said.keys()):
        if said.get(name) != wanted.get(name):
            raise Wrong(f"the statement that was signed has another {name} than the vote.")
    if vote["digest"] != digest:
        raise Wrong("the vote is about another digest than the record.")
    check_client(evidence, hashlib.sha256(canonical(said)).digest())
    check_signature(evidence)


def check_client(evidence, challenge):
    """Raise Wrong unless browser and authenticator speak of this challenge, this site and a verified person."""
    client = json.loads(decode(evidence["clientDataJSON"]))
    told = decode(evidence["authenticatorData"])
    if client.get("type") != "webauthn.get":
        raise Wrong("the authenticator's answer is no assertion.")
    if decode(client["challenge"]) != challenge:
        raise Wrong("the authenticator signed another statement.")
    if client["origin"] != evidence["origin"] or client.get("crossOrigin"):
        raise Wrong("it was signed on another page than the evidence says.")
    host = urlsplit(client["origin"]).hostname or ""
    if host != evidence["rp_id"] and not host.endswith("." + evidence["rp_id"]):
        raise Wrong("it was signed on the page of another site.")
    if told[:32] != hashlib.sha256(evidence["rp_id"].encode()).digest():
        raise Wrong("the authenticator signed for another site.")
    if told[32] & (PRESENT | VERIFIED) != PRESENT | VERIFIED:
        raise Wrong("the authenticator did not verify the person.")


def check_signature(evidence):
    """Raise Wrong unless the key made the signature over authenticator data and client data (WebAuthn 3, 7.2)."""
    signed = decode(evidence["authenticatorData"]) + hashlib.sha256(decode(evidence["clientDataJSON"])).digest()
    signature = decode(evidence["signature"])
    key = read_cbor(decode(evidence["public_key"]))
    try:
        verify(key, signature, signed)
    except InvalidSignature:
        raise Wrong("the signature was not made by this key over this statement.") from None


def verify(key, signature, signed):
    """Check with a COSE key (RFC 9053): ECDSA, EdDSA on Ed25519, or RSA."""
    kind, algorithm = key[1], key[3]
    if kind == 2:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(key[-2]), int.from_bytes(key[-3]), CURVES[key[-1]]())
        numbers.public_key().verify(signature, signed, ec.ECDSA(HASHES[algorithm]()))
    elif kind == 1 and key[-1] == 6:
        ed25519.Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, signed)
    elif kind == 3:
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if algorithm == -37 else padding.PKCS1v15()
        numbers = rsa.RSAPublicNumbers(int.from_bytes(key[-2]), int.from_bytes(key[-1]))
        numbers.public_key().verify(signature, signed, scheme, HASHES[algorithm]())
    else:
        raise Wrong(f"its key is of a kind that this script does not know ({kind}, {algorithm}).")


def read_cbor(text):
    """Return the map of a COSE key: whole numbers and byte strings are all that it holds (RFC 8949)."""
    value, rest = item(text)
    if rest or not isinstance(value, dict):
        raise Wrong("its key cannot be read.")
    return value


def item(text):
    kind, size, rest = text[0] >> 5, text[0] & 31, text[1:]
    if size >= 24:
        width = {24: 1, 25: 2, 26: 4}.get(size, 0)
        size, rest = int.from_bytes(rest[:width]), rest[width:]
    if kind in (0, 1):
        return (size if kind == 0 else -1 - size), rest
    if kind == 2:
        return rest[:size], rest[size:]
    if kind != 5:
        raise Wrong("its key cannot be read.")
    found = {}
    for _each in range(size):
        name, rest = item(rest)
        found[name], rest = item(rest)
    return found, rest


def canonical(value):
    """Return the RFC 8785 bytes of the value, which holds no fractions: keys sorted by their UTF-16 units."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(value[name]) for name in names) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(canonical(part) for part in value) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
