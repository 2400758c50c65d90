"""What an operator chooses for a target on the command line, and where people see it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from records.models import Fact
from rollbacks.models import Target
from rollbacks.services.targets import options_of
from rollbacks.stale_page import NOTHING_CHOSEN, _changed_fields
from tests.clients import client_of

pytestmark = pytest.mark.django_db

GIVEN = ("shop", "--repository", "/r", "--out", "drizzle")


def registered(*options: str) -> Target:
    call_command("register_target", *GIVEN, *options, stdout=io.StringIO())
    return Target.objects.get(name="shop")


def test_options_are_kept_shown_and_in_the_trail(people: dict[str, Any]) -> None:
    target = registered(
        "--contract-tests", '["pnpm", "contract-tests"]', "--migrate-command", '["pnpm", "migrate:apply"]',
        "--prepare-command", '["pnpm", "install"]', "--command-variable", "NPM_TOKEN", "--command-seconds", "60",
        "--deploy-freeze", "--flag", "/flags/new_billing=false", "--flag", '/plan="old"', "--github", "nzila/nzila",
    )  # fmt: skip
    document = options_of(target).document()
    assert document == {
        "contract_tests": ["pnpm", "contract-tests"], "migrate": ["pnpm", "migrate:apply"], "prepare": ["pnpm", "install"],
        "environment": ["NPM_TOKEN"], "seconds": 60, "deploy_freeze": True,
        "flags": {"/flags/new_billing": False, "/plan": "old"},
    }  # fmt: skip
    assert '"contract_tests":["pnpm","contract-tests"]' in Fact.objects.get(action="target.registered").line
    browser = client_of(people["auditor"])
    page = browser.get("/targets/shop/").content.decode()
    for words in ("pnpm contract-tests", "pnpm migrate:apply", "NPM_TOKEN", "nzila/nzila", "/flags/new_billing"):
        assert words in page
    assert browser.get("/api/v1/targets/shop").json()["options"] == document


def test_without_options_the_portal_applies_by_itself(people: dict[str, Any]) -> None:
    assert options_of(registered()).document() == {}
    page = client_of(people["auditor"]).get("/targets/shop/").content.decode()
    assert "the portal itself, in one transaction" in page


@pytest.mark.parametrize(
    "options",
    [
        ("--contract-tests", "pnpm contract-tests"), ("--contract-tests", "[]"), ("--contract-tests", '["a", 1]'),
        ("--migrate-command", '["x"]', "--owner-role", "app"), ("--flag", "/x"), ("--flag", "/x=off"), ("--flag", "x=true"),
        ("--command-variable", "DATABASE_URL"), ("--command-seconds", "0"), ("--github", "https://github.com/a/b"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        registered(*options)
    assert not Target.objects.exists()


def test_a_page_that_is_open_says_that_commands_came_or_went() -> None:
    """A plan without options has no word of them, and that is a difference too."""
    without, chosen = {"reason": "r"}, {"reason": "r", "options": {"migrate": ["pnpm", "migrate:apply"]}}
    for before, after, found in ((without, chosen, ("", "pnpm")), (chosen, without, ("pnpm", ""))):
        fields = _changed_fields(NOTHING_CHOSEN | before, NOTHING_CHOSEN | after)
        assert ("options.migrate.1", *found) in {(each.name, each.before, each.after) for each in fields}
