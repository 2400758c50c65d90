"""The demo's organisation: seven people with one role each, and the nzila target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from approvals.factors import FACTOR_ROLES
from approvals.people import add_person
from demo import authenticators
from demo import target as demo_target
from portal.embedded.services import DEMO_TARGET, Services
from rollbacks.models import Target
from rollbacks.services.targets import register_target


@dataclass(frozen=True)
class Person:
    """One demo person; the passwords are only ever set in demo mode, and without one nobody can sign in."""

    username: str
    name: str
    role: str
    password: str | None


PEOPLE = (
    Person("ada", "Ada Mbuyi", "engineer", "demo-engineer"),
    Person("paul", "Paul Ilunga", "platform", "demo-platform"),
    Person("sefu", "Sefu Kabongo", "security", "demo-security"),
    Person("carine", "Carine Tshala", "cto", "demo-cto"),
    Person("odette", "Odette Mwamba", "on-call", "demo-oncall"),
    Person("aude", "Aude Lukusa", "auditor", "demo-auditor"),
    Person("adele", "Adèle Kasongo", "administrator", "demo-administrator"),
)


def add_people(people: Sequence[Person] = PEOPLE) -> dict[str, Any]:
    """Add the demo people where they are missing and return their accounts by role."""
    return {
        person.role: add_person(
            None, username=person.username, name=person.name, email=f"{person.username}@nzila.example",
            password=person.password, roles=[person.role],
        )
        for person in people
    }  # fmt: skip


def enrol(people: Mapping[str, Any]) -> None:
    """Enrol an authenticator app for everybody whose role needs one, so that a walk through the demo needs no phone.

    The page “Demo authenticator” shows its codes; it exists in demo mode only.
    """
    for role in FACTOR_ROLES:
        authenticators.enrol(people[role])


def add_target(services: Services, *, name: str = DEMO_TARGET, title: str = "Nzila production") -> Target:
    """Make the target's database, repository and service entry, and register it; one that is there is kept."""
    found = Target.objects.filter(name=name).first()
    if found is not None:
        return found
    demo_target.create_database(services.portal.url("postgres"), name)
    demo_target.seed(services.portal.url(name, name))
    services.write_service(name, database=name, user=name)
    repository = demo_target.create_repository(_folder(services, name))
    return register_target(
        None,
        name=name,
        title=title,
        environment="production",
        repository=str(repository),
        out=demo_target.OUT,
        audit_tables=["audit_events"],
    )


def target_url(services: Services, name: str) -> str:
    """Return the direct URL of a demo target's database."""
    return services.portal.url(name, name)


def _folder(services: Services, name: str) -> Path:
    return services.state.root / "demo" / name
