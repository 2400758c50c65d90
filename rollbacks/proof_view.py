"""The proof panel's reading: what a proof says, line by line, beside what the target had at stake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.models import ProofRun
from rollbacks.reversal.forecast import forecast
from rollbacks.reversal.proof import PROVEN, Subject
from rollbacks.services.proofs import passed, subject_read
from rollbacks.services.reading import Reading, sql_problems
from rollbacks.states import RunState


@dataclass(frozen=True)
class ProofLine:
    """One statement of the proof: where it stands, what it locks, how long it may take on the target (seconds)."""

    tag: str
    line: int
    locks: tuple[str, ...]
    rewritten: tuple[str, ...]
    milliseconds: int
    least: float
    most: float


@dataclass(frozen=True)
class ProofView:
    """The proof panel: the run that counts, or none; what it says once it is over; whether one can be asked for."""

    run: ProofRun | None
    passed: bool
    proof: Mapping[str, Any]
    live: Mapping[str, Any]
    lines: tuple[ProofLine, ...]
    stakes: tuple[tuple[str, int, Mapping[str, Any]], ...]
    opinion: tuple[tuple[str, int, Mapping[str, Any]], ...]
    may_ask: bool

    @property
    def working(self) -> bool:
        """Whether a worker has it or will have it."""
        return self.run is not None and self.run.state in {RunState.PENDING, RunState.RUNNING}

    @property
    def state(self) -> str:
        """What the proof is called on the pages."""
        if self.proof:
            return str(self.proof["outcome"])
        if self.run is None:
            return "unasked"
        return "untried" if self.run.state == RunState.FAILED else "proving"

    @property
    def holding(self) -> tuple[ProofLine, ...]:
        """The statements that lock what was there before, or write it anew."""
        return tuple(line for line in self.lines if line.locks or line.rewritten)

    @property
    def least(self) -> float:
        """The least seconds that the locks may be held on the target."""
        return sum(line.least for line in self.lines)

    @property
    def most(self) -> float:
        """The most seconds that the locks may be held on the target."""
        return sum(line.most for line in self.lines)


def proof_view(reading: Reading, run: ProofRun | None, *, may_ask: bool) -> ProofView:
    """Return the proof panel of a request that can still change."""
    proof = (run.proof or {}) if run else {}
    live = run.live if run else {}
    askable = may_ask and bool(reading.content) and not sql_problems(reading)
    return _view(run, passed(run), proof, live, subject_read(reading), askable)


def signed_proof(plan: Mapping[str, Any]) -> ProofView:
    """Return the proof panel of a plan: the proof that was signed with it."""
    proof = plan.get("proof") or {}
    live = proof.get("live") or {}
    undo = tuple((each["tag"], each["reverse_sql"]) for each in plan.get("undo", ()))
    subject = Subject(proof.get("chain_sha256", ""), plan.get("return_to"), undo)
    return _view(None, proof.get("outcome") == PROVEN, proof, live, subject, may_ask=False)


def _view(
    run: ProofRun | None,
    led_back: bool,
    proof: Mapping[str, Any],
    live: Mapping[str, Any],
    subject: Subject,
    may_ask: bool,
) -> ProofView:
    lines = tuple(_line(each, live, subject) for each in proof.get("statements", ()))
    stakes, opinion = _placed(live.get("at_stake", ()), subject), _placed(proof.get("second_opinion", ()), subject)
    return ProofView(run, led_back, proof, live, lines, stakes, opinion, may_ask)


def _placed(found: Sequence[Mapping[str, Any]], subject: Subject) -> tuple[tuple[str, int, Mapping[str, Any]], ...]:
    """Return each with its migration and the line within that migration's own SQL."""
    return tuple((*subject.place(each["line"]), each) for each in found)


def _line(statement: Mapping[str, Any], live: Mapping[str, Any], subject: Subject) -> ProofLine:
    least, most = forecast(statement, live.get("sizes", {}))
    return ProofLine(
        *subject.place(statement["line"]), tuple(statement["locks"]), tuple(statement["rewritten"]),
        statement["milliseconds"], least, most,
    )  # fmt: skip
