"""The kinds of providers as people choose them, in plain Python; recoveries.providers has their code."""

from __future__ import annotations

from dataclasses import dataclass

SELF_MANAGED, MANUAL, BACKUP, AZURE = "self_managed", "manual", "backup", "azure"


@dataclass(frozen=True)
class Kind:
    """What a provider is called, whether a person restores, what is chosen, and whether its copy is a physical one.

    A physical copy keeps the system identifier of the server that it was made from; a dump restored elsewhere has not.
    """

    key: str
    title: str
    says: str
    by_hand: bool = False
    wants_backup: bool = False
    physical: bool = True


KINDS = {
    kind.key: kind
    for kind in (
        Kind(SELF_MANAGED, "Base backup and WAL archive", "A worker restores a base backup and replays the archived WAL up to the second before."),
        Kind(AZURE, "Azure Database for PostgreSQL", "Azure restores to a new flexible server; a worker asks for it and waits."),
        Kind(BACKUP, "A backup that the portal keeps", "A worker restores a kept dump into a new database on the server set aside for it.", wants_backup=True, physical=False),
        Kind(MANUAL, "By hand", "A person restores with the provider's own tools and gives evidence; a worker inspects what came of it.", by_hand=True),
    )
}  # fmt: skip
