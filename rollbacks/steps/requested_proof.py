"""A proof that a request asks for: the trial on the scratch server, and what the live target has beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.ledger import Unreplayable
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.squawk import Opinion, second_opinion
from rollbacks.plan import Limits
from rollbacks.ports import TargetSettings
from rollbacks.reversal import parse
from rollbacks.reversal.assess import assess
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, compare, read_facts
from rollbacks.reversal.classes import OPAQUE
from rollbacks.reversal.forecast import touched
from rollbacks.reversal.proof import Proof, Subject
from rollbacks.reversal.stakes import at_stake, sizes
from rollbacks.steps.drafting import live_shape
from rollbacks.steps.observation import Observation, Unobservable, connect_directly, observe_target
from rollbacks.steps.proving import chain_sha256, prove

DRIFT_SHOWN = 50


class Untried(Exception):
    """The reverse SQL could be neither proven nor disproven; the sentence says why and what to do next."""


@dataclass(frozen=True)
class Requested:
    """A proof with what was read of the live target at the same time, and squawk's opinion of the same SQL.

    `live` has "drift" (sentences on what the target has that no migration made), "at_stake" (see
    rollbacks.reversal.stakes), "sizes" (bytes of each relation that is locked or written anew) and "unread", a
    sentence when the target could not be asked.
    """

    proof: Proof
    live: dict[str, Any]
    opinion: Opinion

    def document(self) -> dict[str, Any]:
        """Return the proof with its digest and the second opinion, which that digest leaves out, as JSON values."""
        return {**self.proof.document(), "digest": self.proof.digest, **self.opinion.document()}


def prove_request(
    settings: TargetSettings,
    subject: Subject,
    *,
    limits: Limits,
    environ: Mapping[str, str],
    told: Callable[[int, int], None],
) -> Requested:
    """Prove the subject on the scratch server of the worker's environment; the target is only read.

    Raises Untried when the chain is another one by now, cannot be replayed, or the SQL is refused unseen.
    """
    newest: list[Facts] = []
    try:
        # The page has refused it already; a worker runs nothing on the strength of what a page did.
        opaque = _refuse(subject, settings)
        observation = observe_target(settings, environ=environ)
        if chain_sha256(observation.folder) != subject.chain_sha256:
            raise Untried(
                "The migrations changed since the target was read; read it again on its page, then prove again."
            )
        scratch = Scratch.of(environ)
        scratch.refuse_same_cluster(observation.identity)
        if opaque:
            scratch.refuse_superuser()
        proof = prove(
            scratch, observation.folder, observation.layout, return_to=subject.return_to, reverse=subject.reverse,
            live=live_shape(settings, environ), limits=limits, told=told, newest_seen=newest.append,
            place=lambda line: "{}, line {},".format(*subject.place(line)),
        )  # fmt: skip
    except (Unreplayable, parse.Unreadable, Unobservable, ScratchRefused, psycopg.Error, *targets.REFUSALS) as error:
        raise Untried(one_sentence(error)) from error
    return Requested(
        proof,
        _live(settings, observation, subject, proof, newest[0], environ),
        second_opinion(subject.reverse, major=observation.identity.major, environ=environ),
    )


def _refuse(subject: Subject, settings: TargetSettings) -> bool:
    """Raise Untried for what is refused; tell whether there is code in it that nobody can analyse."""
    opaque = False
    for tag, sql in subject.undo:
        found = assess(sql, audit_tables=settings.audit_tables)
        if found.refusals:
            raise Untried(f"{tag}, line {found.refusals[0].line}: {found.refusals[0].sentence}")
        opaque = opaque or any(each.cls == OPAQUE for each in found.judgements)
    return opaque


def _live(
    settings: TargetSettings, observation: Observation, subject: Subject, proof: Proof, newest: Facts,
    environ: Mapping[str, str],
) -> dict[str, Any]:  # fmt: skip
    """Read the target for drift and for what is at stake; that it cannot be asked disproves nothing."""
    ignored = {observation.layout.ledger_schema}
    try:
        with connect_directly(settings, environ) as connection:
            found = read_facts(connection, ignore_schemas=ignored).without(ACCESS_KINDS)
            stakes = at_stake(connection, parse.read(subject.reverse))
            bytes_of = sizes(connection, touched(proof.statements))
    except (psycopg.Error, *targets.REFUSALS) as error:
        return {"drift": [], "at_stake": [], "sizes": {}, "unread": one_sentence(error)}
    drift = compare(newest.without(ACCESS_KINDS), found).sentences()
    return {
        "drift": drift[:DRIFT_SHOWN],
        "at_stake": [each.document() for each in stakes],
        "sizes": bytes_of,
        "unread": "",
    }
