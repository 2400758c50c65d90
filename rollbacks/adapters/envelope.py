"""Encryption of backups to public keys, as age does it: whoever writes them needs no secret, and nobody else reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from rollbacks.adapters.streams import Sink, Source, copy
from rollbacks.adapters.target import variable_of

RECIPIENTS, IDENTITIES = "BACKUP_RECIPIENTS", "BACKUP_IDENTITY_FILE"


class KeyRefused(Exception):
    """The keys of the worker cannot be used, or do not fit; the sentence says which and never shows a secret one."""


@dataclass(frozen=True)
class Keys:
    """The public keys that backups are encrypted to, and the worker's own identities by their public key.

    Without recipients backups are kept in plain. Old identities stay in the file: old backups are read with them.
    """

    recipients: tuple[str, ...] = ()
    identities: Mapping[str, pyrage.x25519.Identity] = field(default_factory=dict)

    @classmethod
    def of(cls, environ: Mapping[str, str], target: str = "") -> Keys:
        """Return the keys of the environment, for this target where it has some of its own; raises KeyRefused."""
        own = _text(environ, variable_of(target, RECIPIENTS)) if target else ""
        recipients = _words(own or _text(environ, RECIPIENTS))
        for word in recipients:
            _recipient(word)
        return cls(recipients, _identities(environ))

    def refuse_unreadable(self) -> None:
        """Raise KeyRefused when the worker could not open what it encrypts, so that no restore could prove it."""
        if not self.recipients or set(self.recipients) & set(self.identities):
            return
        if not self.identities:
            raise KeyRefused(
                f"{RECIPIENTS} is set and {IDENTITIES} is not, so no backup could be restored to prove it; give the worker "
                "an identity and add its public key to the recipients."
            )
        raise KeyRefused(
            f"None of the identities in {IDENTITIES} ({', '.join(self.identities)}) is a recipient, so no backup could be "
            f"restored to prove it; add one of these public keys to {RECIPIENTS}."
        )

    def refuse_foreign(self, recipients: tuple[str, ...]) -> None:
        """Raise KeyRefused when the worker has none of the identities that open what was encrypted to these."""
        if recipients and not set(recipients) & set(self.identities):
            raise KeyRefused(
                f"The backup is encrypted to {', '.join(recipients)} and {IDENTITIES} has the identity of none of them; "
                "add it, old identities stay beside newer ones."
            )

    def seal(self, source: Source, sink: Sink) -> None:
        """Write the source's bytes to the sink, encrypted to every recipient, in plain where there is none.

        What the source or the sink raises comes out as it was raised.
        """
        if not self.recipients:
            copy(source, sink)
            return
        reader, writer = _Carrying(source, sink), _Carrying(source, sink)
        try:
            pyrage.encrypt_io(reader, writer, [_recipient(word) for word in self.recipients])
        except (pyrage.EncryptError, OSError) as error:
            _raise_carried(reader, writer)
            raise KeyRefused("The backup could not be encrypted; nothing of it is kept.") from error

    def unseal(self, source: Source, sink: Sink, recipients: tuple[str, ...]) -> None:
        """Write the opened bytes to the sink; `recipients` say to whom they are encrypted, to nobody when empty.

        Raises KeyRefused when no identity fits and when the bytes are not what was encrypted.
        """
        if not recipients:
            copy(source, sink)
            return
        self.refuse_foreign(recipients)
        reader, writer = _Carrying(source, sink), _Carrying(source, sink)
        try:
            pyrage.decrypt_io(reader, writer, [self.identities[each] for each in recipients if each in self.identities])
        except (pyrage.DecryptError, OSError) as error:
            _raise_carried(reader, writer)
            raise KeyRefused("The backup cannot be decrypted: it is not what was encrypted.") from error


class _Carrying:
    """Remembers what reading or writing raised, because age turns it into an error of its own."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self._source, self._sink = source, sink
        self.raised: BaseException | None = None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._source.read(size)
        except BaseException as error:
            self.raised = error
            raise

    def write(self, chunk: bytes, /) -> int:
        try:
            return self._sink.write(chunk)
        except BaseException as error:
            self.raised = error
            raise

    def flush(self) -> None:
        """Leave it to whoever owns the sink."""


def _raise_carried(*carrying: _Carrying) -> None:
    for each in carrying:
        if each.raised is not None:
            raise each.raised


def _recipient(word: str) -> pyrage.x25519.Recipient | pyrage.ssh.Recipient:
    try:
        return (
            pyrage.ssh.Recipient.from_str(word) if word.startswith("ssh-") else pyrage.x25519.Recipient.from_str(word)
        )
    except pyrage.RecipientError as error:
        # The word is not repeated: somebody may have put the secret half there.
        raise KeyRefused(f"{RECIPIENTS} has a word that is no public key of age (age1…); correct it.") from error


def _words(text: str) -> tuple[str, ...]:
    """One recipient a line, or several in one line with commas; an SSH key is two words and its comment is left out."""
    found: list[str] = []
    for line in text.replace(",", "\n").splitlines():
        words = line.split("#")[0].split()
        if words:
            found += [" ".join(words[:2])] if words[0].startswith("ssh-") else words
    return tuple(dict.fromkeys(found))


def _text(environ: Mapping[str, str], variable: str) -> str:
    path = environ.get(f"{variable}_FILE", "")
    if environ.get(variable) or not path:
        return environ.get(variable, "")
    try:
        return Path(path).read_text()
    except (OSError, ValueError) as error:
        raise KeyRefused(f"The file that {variable}_FILE names cannot be read; mount it for the worker.") from error


def _identities(environ: Mapping[str, str]) -> dict[str, pyrage.x25519.Identity]:
    path = environ.get(IDENTITIES, "")
    if not path:
        return {}
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, ValueError) as error:
        raise KeyRefused(f"The file that {IDENTITIES} names cannot be read; mount it for the worker.") from error
    found: dict[str, pyrage.x25519.Identity] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            identity = pyrage.x25519.Identity.from_str(line.strip())
        except pyrage.IdentityError as error:
            raise KeyRefused(f"Line {number} of the file in {IDENTITIES} is no identity of age; correct it.") from error
        found[str(identity.to_public())] = identity
    return found
