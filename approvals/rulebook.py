"""The rule book: one reviewed TOML file that says who has to sign which rollback, in plain Python.

The first rule whose `when` fits decides. A file with a mistake is not used at all: every mistake is one sentence with
its line, and the portal does not start with it. A rollback that no rule catches gets a policy without needs, which
approves nothing.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from approvals.policy import WITNESS, Need, Policy
from approvals.windows import Freeze, Window
from approvals.windows_file import UnreadableWindow, read_freeze, read_window

RISKS = ("low", "medium", "high")
SIGNING = ("platform", "security", "cto")
PATTERNS = ("environment", "target", "tables", "owners")
SWITCHES = ("security", "data_loss", "emergency", "non_transactional")
HOURS = ("votes_expire_hours", "request_expires_hours")
FACTORS = ("any", "passkey")
TOP = {"version", "defaults", "owners", "break_glass", "rule", "freeze"}
OF_RULE = {"name", "when", "needs", "witness", "windows", "second_factor", *HOURS}
NO_RULE = "no rule"
HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\"@/-]+)\s*\]\]?")
KEY = re.compile(r"\s*\"?([A-Za-z0-9_@/.-]+)\"?\s*=")

Path = tuple[str | int, ...]


class RuleBookInvalid(ValueError):
    """The rule book cannot be used; each line of the text names a line of the file and what is wrong there."""


@dataclass(frozen=True)
class Traits:
    """What a rule can ask of a rollback. `tables` are schema.table, `owners` team handles of CODEOWNERS.

    `non_transactional` says whether statements run outside the transaction.
    """

    environment: str = ""
    target: str = ""
    risk: str = "low"
    security: bool = False
    data_loss: bool = False
    emergency: bool = False
    non_transactional: bool = False
    tables: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule: its name, what it asks of a rollback, and the policy that follows."""

    name: str
    when: Mapping[str, Any]
    policy: Policy

    def fits(self, traits: Traits) -> bool:
        """Tell whether every condition holds; a list holds when one of its patterns fits one of the values."""
        return all(_holds(key, wanted, getattr(traits, key)) for key, wanted in self.when.items())


@dataclass(frozen=True)
class BreakGlass:
    """Until when an emergency has to be reviewed, in hours, and who may review it."""

    review_hours: int = 24
    review_roles: tuple[str, ...] = ("cto", "security")


@dataclass(frozen=True)
class RuleBook:
    """The rules in their order, with freezes, the roles of CODEOWNERS' handles, and the file's SHA-256."""

    version: str
    sha256: str
    rules: tuple[Rule, ...]
    freezes: tuple[Freeze, ...] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    break_glass: BreakGlass = BreakGlass()

    def policy_for(self, traits: Traits) -> Policy:
        """Return the policy of the first rule that fits; one without needs when none does."""
        return next(
            (rule.policy for rule in self.rules if rule.fits(traits)), Policy(f"{self.version} {self.sha256[:12]}", NO_RULE, ())
        )  # fmt: skip


def read_rulebook(text: str) -> RuleBook:
    """Return the rule book of this TOML text; raises RuleBookInvalid with every mistake found."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleBookInvalid(f"The policy file is not TOML: {error}.") from error
    reading = _Reading(document, _lines(text), hashlib.sha256(text.encode()).hexdigest())
    book = reading.book()
    if reading.mistakes:
        raise RuleBookInvalid("\n".join(dict.fromkeys(reading.mistakes)))
    return book


def _holds(key: str, wanted: Any, found: Any) -> bool:
    if key in SWITCHES:
        return bool(wanted == found)
    if key == "risk":
        return found in wanted
    values = (found,) if isinstance(found, str) else found
    return any(fnmatchcase(value, pattern) for value in values for pattern in wanted)


class _Reading:
    """One reading of the file: collects mistakes with their lines instead of stopping at the first."""

    def __init__(self, document: dict[str, Any], lines: Mapping[Path, int], digest: str) -> None:
        self.document, self.lines, self.digest = document, lines, digest
        self.version = f"{document.get('version', '')} {digest[:12]}"
        self.mistakes: list[str] = []

    def book(self) -> RuleBook:
        for key in self.document.keys() - TOP:
            self.wrong((key,), f"“{key}” is not known here; there are {_listed(TOP)}")
        if not isinstance(self.document.get("version"), str) or not self.document["version"].strip():
            self.wrong(("version",), "the file has no version; give it one as text")
        defaults = self.table(self.document, "defaults", (), {*HOURS, "second_factor"})
        rules = self.items(self.document, "rule")
        if not rules:
            self.wrong(("rule",), "there is no [[rule]], so nothing could ever be approved")
        found = tuple(self.rule(number, each, defaults) for number, each in enumerate(rules))
        for number, rule in enumerate(found):
            if rule.name in {other.name for other in found[:number]}:
                self.wrong(("rule", number, "name"), f"a rule named “{rule.name}” stands above already")
        return RuleBook(
            version=str(self.document.get("version", "")),
            sha256=self.digest,
            rules=found,
            freezes=tuple(self.freezes()),
            owners=self.owners(),
            break_glass=self.break_glass(),
        )

    def rule(self, number: int, table: Mapping[str, Any], defaults: Mapping[str, Any]) -> Rule:
        path: Path = ("rule", number)
        for key in table.keys() - OF_RULE:
            self.wrong((*path, key), f"a rule has no “{key}”; it has {_listed(OF_RULE)}")
        name = table.get("name")
        if not isinstance(name, str) or not name.strip():
            self.wrong(path, "this rule has no name; say in a few words what it catches")
        when = self.when(table.get("when", {}), (*path, "when"))
        needs = list(self.needs(table.get("needs"), (*path, "needs")))
        if self.switch(table, "witness", path):
            needs.append(Need(WITNESS))
        said = {**defaults, **table}
        emergency = when.get("emergency") is True
        if emergency and not needs:
            self.wrong((*path, "needs"), "an emergency needs a signature too: nobody rolls back alone")
        policy = Policy(
            version=self.version,
            rule=str(name),
            needs=tuple(needs),
            votes_expire_hours=self.hours(said, "votes_expire_hours", path),
            request_expires_hours=self.hours(said, "request_expires_hours", path),
            passkey=self.factor(said, path) == "passkey",
            emergency=emergency,
            windows=tuple(self.windows(table, path)),
        )
        return Rule(str(name), when, policy)

    def when(self, table: Any, path: Path) -> dict[str, Any]:
        if not isinstance(table, dict):
            self.wrong(path, "`when` is a table of conditions, such as { security = true }")
            return {}
        found: dict[str, Any] = {}
        for key, value in table.items():
            if key in SWITCHES and isinstance(value, bool):
                found[key] = value
            elif (
                key in (*PATTERNS, "risk")
                and value
                and isinstance(value, list)
                and all(isinstance(each, str) for each in value)
            ):
                found[key] = tuple(value)
                unknown = [each for each in value if key == "risk" and each not in RISKS]
                if unknown:
                    self.wrong((*path, key), f"a risk is {_listed(RISKS)}, not “{unknown[0]}”")
            elif key in SWITCHES:
                self.wrong((*path, key), f"“{key}” is true or false")
            elif key in (*PATTERNS, "risk"):
                self.wrong((*path, key), f"“{key}” is a list of texts that is not empty")
            else:
                known = _listed((*SWITCHES, *PATTERNS, "risk"))
                self.wrong((*path, key), f"nothing can be asked about “{key}”; conditions are {known}")
        return found

    def needs(self, value: Any, path: Path) -> Iterator[Need]:
        if not isinstance(value, list) or not value:
            self.wrong(path, 'the rule names no signatures; give needs = [{ role = "platform" }]')
            return
        for each in value:
            roles, count = _asked(each)
            if not roles or set(roles) - set(SIGNING) or len(set(roles)) != len(roles):
                self.wrong(path, f"a need is {{ role = … }} or {{ any = […] }} of {_listed(SIGNING)}, and a count")
            elif type(count) is not int or count < 1:
                self.wrong(path, "a need's count is a whole number from 1")
            else:
                yield Need(roles[0], count, roles[1:])

    def windows(self, table: Mapping[str, Any], path: Path) -> Iterator[Window]:
        value = table.get("windows", [])
        for each in value if isinstance(value, list) else [value]:
            try:
                yield read_window(each)
            except UnreadableWindow as error:
                self.wrong((*path, "windows"), str(error))

    def freezes(self) -> Iterator[Freeze]:
        for number, each in enumerate(self.items(self.document, "freeze")):
            try:
                yield read_freeze(each)
            except UnreadableWindow as error:
                self.wrong(("freeze", number), str(error))

    def owners(self) -> dict[str, str]:
        table = self.table(self.document, "owners", (), None)
        for handle, role in table.items():
            if role not in SIGNING or not handle.startswith("@"):
                self.wrong(("owners", handle), f'an owner is "@organisation/team" = one of {_listed(SIGNING)}')
        return {handle: str(role) for handle, role in table.items()}

    def break_glass(self) -> BreakGlass:
        table = self.table(self.document, "break_glass", (), {"review_hours", "review_roles"})
        hours, roles = table.get("review_hours", 24), table.get("review_roles", ["cto", "security"])
        if type(hours) is not int or not 1 <= hours <= 168:
            self.wrong(("break_glass", "review_hours"), "the review is due in 1 to 168 hours")
            hours = 24
        if not isinstance(roles, list) or not roles or set(roles) - set(SIGNING):
            self.wrong(("break_glass", "review_roles"), f"somebody has to review: roles of {_listed(SIGNING)}")
            roles = ["cto"]
        return BreakGlass(hours, tuple(roles))

    def hours(self, table: Mapping[str, Any], key: str, path: Path) -> int:
        value = table.get(key, 0)
        if type(value) is not int or not 0 <= value <= 8760:
            self.wrong(
                (*path, key) if (*path, key) in self.lines else ("defaults", key),
                f"“{key}” is a whole number of hours up to 8760, 0 for no limit",
            )
            return 0
        return value

    def factor(self, table: Mapping[str, Any], path: Path) -> str:
        value = table.get("second_factor", "any")
        if value not in FACTORS:
            self.wrong((*path, "second_factor"), f"“second_factor” is {_listed(FACTORS)}")
        return str(value)

    def switch(self, table: Mapping[str, Any], key: str, path: Path) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.wrong((*path, key), f"“{key}” is true or false")
        return value is True

    def table(self, parent: Mapping[str, Any], key: str, path: Path, known: Collection[str] | None) -> dict[str, Any]:
        value = parent.get(key, {})
        if not isinstance(value, dict):
            self.wrong((*path, key), f"“{key}” is a table: write [{key}]")
            return {}
        for each in value.keys() - (value.keys() if known is None else known):
            self.wrong((*path, key, each), f"“{each}” is not known here; there are {_listed(known or ())}")
        return value

    def items(self, parent: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        value = parent.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.wrong((key,), f"“{key}” is written as [[{key}]], once for each")
            return []
        return value

    def wrong(self, path: Path, sentence: str) -> None:
        """Keep a mistake with the line of the key, or of the nearest table around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        self.mistakes.append(f"Line {self.lines.get(path, 1)}: {sentence}.")


def _asked(need: Any) -> tuple[tuple[str, ...], Any]:
    """Return the roles and the count of a need; no roles where it is not written as one."""
    if not isinstance(need, dict) or need.keys() - {"role", "any", "count"} or len(need.keys() & {"role", "any"}) != 1:
        return (), 1
    roles = need["any"] if "any" in need else [need["role"]]
    words = isinstance(roles, list) and all(isinstance(role, str) for role in roles)
    return (tuple(roles) if words else ()), need.get("count", 1)


def _lines(text: str) -> dict[Path, int]:
    """Return where each table header and key stands. Only for sentences: what the file means is tomllib's to say."""
    found: dict[Path, int] = {}
    table: Path = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = HEADER.match(line)
        key = KEY.match(line)
        if header and not key:
            words = header.group(1).split(".")
            if line.lstrip().startswith("[["):
                counts[words[0]] = counts.get(words[0], -1) + 1
            table = (words[0], *([counts[words[0]]] if words[0] in counts else []), *words[1:])
            found.setdefault(table, number)
            found.setdefault(table[:1], number)
        elif key:
            found.setdefault((*table, key.group(1)), number)
    return found


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words) if isinstance(words, set | frozenset) else words)
