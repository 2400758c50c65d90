"""What may be sent: every body and filter as a schema that refuses what it does not name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from rollbacks.forms import MAX_SQL
from rollbacks.states import State

YEARS = range(2000, 2200)


def _no_nul(text: str) -> str:
    """PostgreSQL keeps no NUL and its parser stops at one, so a hash would cover more than what is run."""
    if "\x00" in text:
        raise ValueError("The text holds a NUL character; remove it.")
    return text


def _written(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise ValueError("Write the time as text in ISO 8601 with its offset, for example 2026-11-25T22:00:00Z.")
    return value


def _usable(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError("The year has to be between 2000 and 2199.")
    return moment.astimezone(UTC)


NoNul = AfterValidator(_no_nul)
Name = Annotated[str, StringConstraints(max_length=200), NoNul]
Prose = Annotated[str, StringConstraints(max_length=4000), NoNul]
Short = Annotated[str, StringConstraints(max_length=2000), NoNul]
Sql = Annotated[str, StringConstraints(max_length=MAX_SQL), NoNul]
Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_usable)]
Number = Annotated[int, Field(ge=1, lt=2**63)]
Cursor = Annotated[str, StringConstraints(max_length=500)]


class Body(BaseModel):
    """A body that refuses unknown fields by name."""

    model_config = ConfigDict(extra="forbid")


class Written(Body):
    """What a person can write in a request; what is left out of an edit stays as it is."""

    reason: Prose = Field("", description="What went wrong, and why rolling back is the answer.")
    production_incident: StrictBool = False
    incident_reference: Name = ""
    window_start: Moment | None = None
    window_end: Moment | None = None
    security_incident: Name = ""
    justification: Prose = ""
    reverse_sql: dict[Name, Sql] = Field(
        default_factory=dict, description="The SQL that undoes each migration, by its tag."
    )


class Opening(Written):
    """A new request: its target and the return point; null is the empty database."""

    target: Name
    return_to: Name | None = Field(description="The tag of the migration whose state is wanted back.")


class Edit(Written):
    """An edit of the revision that was seen; a newer one is never overwritten."""

    seen_revision: StrictInt = Field(ge=1, lt=2**31)


class Evidence(Body):
    """The evidence for one checklist item: text, a link, or both."""

    text: Prose = ""
    link: Annotated[str, StringConstraints(max_length=500), NoNul] = ""


class Reason(Body):
    """Why a request is given up."""

    reason: Short = ""


class Cancelling(Body):
    """Why an execution is to stop; kept with it."""

    reason: Annotated[Short, StringConstraints(min_length=1)]


class Confirmed(Body):
    """The name of the database, as the page asks for it before anything starts."""

    database: Annotated[str, StringConstraints(max_length=63), NoNul]


class Ballot(Body):
    """One vote on exactly the digest that was shown, with a code of the authenticator app, which works once."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    role: Annotated[str, StringConstraints(max_length=32), NoNul]
    choice: Literal["approve", "reject", "abstain"]
    reason: Short = ""
    code: SecretStr = Field(max_length=16)


class Nothing(Body):
    """No field at all."""


class Page(Body):
    """Where a list goes on."""

    cursor: Cursor = Field("", description="The `next` of the answer before; empty for the first page.")


class RequestFilters(Page):
    """Which requests to list."""

    state: State | None = None
    target: Annotated[str, StringConstraints(max_length=63), NoNul] = ""
    author: Number | None = Field(None, description="The id of the person who filed them.")


class TrailFilters(Page):
    """Which facts to list, and from which end."""

    subject: Annotated[str, StringConstraints(max_length=64), NoNul] = ""
    order: Literal["newest", "oldest"] = "newest"
