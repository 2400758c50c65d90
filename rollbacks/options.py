"""What an operator chose for a target beside its database: commands, deploy freeze, flags. Plain Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DEFAULT_SECONDS = 900
SPOKEN = 80
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# RFC 6901; the empty pointer would be the whole answer, which is no flag.
POINTER = re.compile(r"(?:/(?:[^/~]|~0|~1)*)+")
GITHUB = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
# The portal sets these itself, so nobody can hand on the worker's own.
OWN_VARIABLES = frozenset(
    {
        "PATH", "HOME", "TMPDIR", "DATABASE_URL", "CI", "NO_COLOR", "LC_ALL", "ROLLBACK_REQUEST", "ROLLBACK_RETURN_POINT",
    }
)  # fmt: skip

# What the portal promises when it applies by itself and cannot when the project's command does.
FEWER_PROMISES = (
    "The project's own command runs the signed SQL, so what runs beside it is the project's code.",
    "The catalog is compared after the command has ended and not before COMMIT: a difference is found, not rolled back.",
    "Whether everything, the archive included, is one transaction is up to the command and Drizzle's migrator.",
    "Drizzle writes the ledger row; the ledger is not locked, and no statement is watched on its own.",
    "The limits for locks and statements are asked for in the connection's options and not read back.",
)


class BadOption(ValueError):
    """An option cannot be used; the message says which and what to write instead."""


@dataclass(frozen=True)
class Options:
    """The commands as argument lists, what they may see, how long each may take (seconds), freeze and flags.

    `flags` maps a JSON pointer to the value that it has to have before a rollback.
    """

    contract_tests: tuple[str, ...] = ()
    migrate: tuple[str, ...] = ()
    # Runs first in each checkout, without the database's URL: installing dependencies, for example.
    prepare: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    seconds: int = DEFAULT_SECONDS
    deploy_freeze: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("contract_tests", "migrate", "prepare"):
            refuse_bad_command(name, getattr(self, name))
        strange = [name for name in self.environment if not VARIABLE.fullmatch(name) or name in OWN_VARIABLES]
        if strange:
            raise BadOption(
                f"{strange[0]!r} cannot be handed to a command; name a variable that the portal does not set."
            )
        if not 1 <= self.seconds <= 6 * 3600:
            raise BadOption("A command gets between 1 second and 6 hours; choose a limit in between.")
        wrong = [pointer for pointer in self.flags if not POINTER.fullmatch(pointer)]
        if wrong:
            raise BadOption(f"{wrong[0]!r} is no JSON pointer; write it as /flags/new_billing.")

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """The commands that are set, by what they are for, in the order in which a run comes to them."""
        given = {"prepare": self.prepare, "migrate": self.migrate, "contract_tests": self.contract_tests}
        return {name: command for name, command in given.items() if command}

    def document(self, *, flags: bool = True) -> dict[str, Any]:
        """Return what is set as JSON values for the plan; nothing at all where an operator chose nothing.

        So the digest of a plan without options is what it was before there were any. `flags` says whether the flags
        belong to it: they do not where a person vouched for them instead.
        """
        found: dict[str, Any] = {name: list(command) for name, command in self.commands.items()}
        if found:
            found |= {"environment": list(self.environment), "seconds": self.seconds}
        if self.deploy_freeze:
            found["deploy_freeze"] = True
        if self.flags and flags:
            found["flags"] = dict(self.flags)
        return found

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Options:
        """Return the options that `document()` wrote."""
        lists = {name: tuple(value) for name, value in document.items() if isinstance(value, list)}
        return cls(**{**document, **lists})


def refuse_bad_command(name: str, command: Sequence[str]) -> None:
    """Raise BadOption unless the command is an argument list that a process can be started with."""
    for word in command:
        if not isinstance(word, str) or not word or "\0" in word or len(word) > 4000:
            raise BadOption(f'The command {name} has to be a list of words, as ["pnpm","contract-tests"].')
    if len(command) > 100:
        raise BadOption(f"The command {name} has more than 100 words; put it into a script of the project.")


def command_words(command: Sequence[str]) -> str:
    """Return the command in one text from which its words can be told; it is never run from this."""
    return shlex.join(command)


def command_name(command: Sequence[str]) -> str:
    """Return the command for a sentence, shortened where it is long."""
    words = " ".join(command_words(command).split())
    return words if len(words) <= SPOKEN else f"{words[: SPOKEN - 1]}…"
