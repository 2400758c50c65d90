"""What a provider and a step are given and what they may answer, in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from recoveries.plan import RecoveryPlan
from rollbacks.adapters.target import Credentials
from rollbacks.ports import Evidence, TargetSettings

Told = Callable[[Evidence], None]


class ProviderRefused(Exception):
    """The provider will not or cannot do it, and nothing was made; the sentence says what to do next."""


class ProviderInterrupted(Exception):
    """The provider broke off or did not answer; what was begun may go on, so look before asking again."""


@dataclass(frozen=True)
class Order:
    """What a provider is to restore. `token` marks what belongs to this recovery, so that no second server is made."""

    token: str
    target: TargetSettings
    point: datetime | None
    backup: str
    server: str


@dataclass(frozen=True)
class Restorable:
    """What the provider says it can restore: between which moments (None: it cannot say), or which backups."""

    earliest: datetime | None = None
    latest: datetime | None = None
    note: str = ""
    backups: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        times = {name: None if at is None else at.isoformat() for name, at in (("earliest", self.earliest), ("latest", self.latest))}  # fmt: skip
        return {**asdict(self), **times, "backups": list(self.backups)}


@dataclass(frozen=True)
class NewServer:
    """A server or database that was made by a recovery; `shown` is evidence and holds no secret."""

    name: str
    host: str
    shown: Evidence = field(default_factory=dict)


class Provider(Protocol):
    """The one shape of all providers. None of them ever changes what exists; each makes something new."""

    def restorable(self, target: TargetSettings) -> Restorable:
        """Return what can be restored now; raises ProviderRefused when the worker has no access to it."""

    def place(self) -> Credentials | None:
        """Return the server that exists and on which something new is made; None when a whole server is made."""

    def find(self, order: Order) -> NewServer | None:
        """Return the completed server of this order, None when it is not there or not ready."""

    def refuse_taken(self, order: Order) -> None:
        """Raise ProviderRefused when something of that name exists that is not this order's."""

    def make(self, order: Order, *, known: Evidence, told: Told) -> NewServer:
        """Restore to the new server and return it; goes on with what an earlier attempt began.

        `known` is the last progress that an earlier attempt told; `told` keeps progress and raises LeaseLost. Raises
        ProviderRefused or ProviderInterrupted.
        """

    def credentials(self, order: Order, server: NewServer) -> Credentials:
        """Return how the worker signs in to the new server's database."""


@dataclass(frozen=True)
class Registered:
    """A target that the portal knows: what a new server must not be. `identity` is what was last read, None if never."""

    settings: TargetSettings
    identity: Mapping[str, Any] | None


@dataclass(frozen=True)
class Context:
    """All that one step of a recovery may use."""

    plan: RecoveryPlan
    digest: str
    order: Order
    registered: tuple[Registered, ...]
    evidence: Mapping[str, Evidence]
    known: Evidence
    by_hand: Mapping[str, str]
    environ: Mapping[str, str]
    author: str
    told: Told
    history: Callable[[], Evidence]
    seal: Callable[[Evidence], Evidence]


@dataclass(frozen=True)
class Step:
    """One step of a recovery: look whether its effect is there, and cause it."""

    name: str
    observe: Callable[[Context], Evidence | None]
    perform: Callable[[Context], Evidence]
    retried: bool = False
