"""Matrix A (48 cases of approval and authorisation abuse): the tests that show each row, and the guards they watch.

`python -m tests.abuse.rows` takes each guard out, runs the tests of its row and says whether one of them failed. It
changes the working tree while it runs and puts everything back; do not edit the named files meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SIGNING, RACES = "abuse/test_signing.py", "abuse/test_races.py"

# Row: the tests, as file::function below tests/.
ROWS: dict[str, tuple[str, ...]] = {
    "A01": (f"{SIGNING}::test_a01_a42_the_requester_signs_by_no_door", "api/test_votes.py::test_who_votes_and_who_does_not"),
    "A02": (f"{SIGNING}::test_a02_a05_an_editor_stays_an_editor_under_another_name",),
    "A03": (f"{SIGNING}::test_a03_a14_a15_one_space_by_an_approver_voids_everything",),
    "A04": (f"{SIGNING}::test_a04_two_accounts_of_one_person_have_one_vote",
            "accounts/test_people.py::test_two_accounts_cannot_have_one_address",
            "accounts/test_people.py::test_the_linkage_report_lists_what_accounts_share"),
    "A05": (f"{SIGNING}::test_a02_a05_an_editor_stays_an_editor_under_another_name",),
    "A06": (f"{SIGNING}::test_a06_two_roles_are_one_vote_and_the_page_says_who_can",),
    "A07": (f"{RACES}::test_a07_many_presses_of_one_button_are_one_vote",),
    "A08": ("accounts/test_people.py::test_names_that_read_alike_are_twins",
            "approvals/test_grants.py::test_a_name_that_contains_another_is_another",
            "accounts/test_single_sign_on.py::test_a_twin_is_refused_and_no_account_is_linked_by_itself"),
    "A09": ("approvals/test_standing.py::test_a_role_that_the_requester_had_a_hand_in_after_opening_signs_nothing",
            "approvals/test_standing.py::test_a_role_that_the_requester_confirmed_just_before_opening_signs_nothing_either"),
    "A10": (f"{SIGNING}::test_a10_a11_what_is_taken_away_takes_the_vote_along",
            "services/test_sign_off.py::test_a_role_taken_away_after_the_vote_stops_the_run_before_anything_happens"),
    "A11": ("approvals/test_standing.py::test_what_happens_to_the_account_takes_the_vote_along",),
    "A12": ("approvals/test_grants.py::test_a_group_of_the_same_name_with_another_id_does_not_carry_votes_over",),
    "A13": (f"{RACES}::test_a13_a_group_that_is_taken_away_while_a_worker_claims",),
    "A14": (f"{SIGNING}::test_a03_a14_a15_one_space_by_an_approver_voids_everything",),
    "A15": (f"{SIGNING}::test_a03_a14_a15_one_space_by_an_approver_voids_everything",),
    "A16": (f"{SIGNING}::test_a16_another_database_of_the_same_name_is_not_the_one_that_was_signed_for",),
    "A17": (f"{SIGNING}::test_a17_every_part_of_the_request_is_signed", "rules/test_plan.py::test_any_change_is_another_digest"),
    "A18": ("engine/test_guards.py::test_a_migration_applied_after_the_signatures_stops_the_rollback",
            "engine/test_guards.py::test_a_catalog_that_is_not_the_proven_one_is_rolled_back_before_commit"),
    "A19": ("services/test_proofs.py::test_the_rehearsal_stops_when_the_states_are_not_the_proven_ones",),
    "A20": ("web/test_signing.py::test_a_stale_page_is_told_what_changed",
            "services/test_sign_off.py::test_an_edit_voids_and_the_old_digest_is_refused"),
    "A21": (f"{RACES}::test_a21_the_last_vote_and_an_edit",),
    "A22": (f"{RACES}::test_a22_two_last_votes",),
    "A23": (f"{RACES}::test_a23_the_last_vote_and_a_rejection", f"{RACES}::test_a23_an_approval_and_a_rejection_in_two_tabs"),
    "A24": (f"{SIGNING}::test_a24_a_rejection_after_the_approval_cancels_before_the_claim",
            "services/test_policy_in_force.py::test_a_rejection_while_it_runs_is_kept_and_stops_it"),
    "A25": (f"{RACES}::test_a25_a_captured_vote_that_is_sent_again",),
    "A26": ("services/test_step_up.py::test_a_confirmation_is_for_one_statement",
            "services/test_step_up.py::test_a_confirmation_older_than_five_minutes_counts_no_more"),
    "A27": ("services/test_step_up.py::test_a_code_in_many_tabs_at_once_is_one_confirmation",
            "accounts/test_factors.py::test_a_recovery_code_works_once_and_another_one_does",
            "services/test_step_up.py::test_wrong_codes_and_recovery_codes_do_not_sign"),
    "A28": (f"{SIGNING}::test_a28_a_vote_that_expired_before_the_claim_has_to_be_given_again",),
    "A29": ("services/test_policy_in_force.py::test_an_expired_request_never_runs",
            "services/test_policy_in_force.py::test_a_request_that_expires_while_it_runs_stops_before_the_target"),
    "A30": ("abuse/test_clocks.py::test_a_clock_that_is_a_day_off_is_said",
            "abuse/test_clocks.py::test_no_judge_looks_at_the_clock_of_its_own_server"),
    "A31": ("web/test_signing.py::test_the_page_is_not_framed_and_other_sites_cannot_post_to_it",
            "abuse/test_routes.py::test_everybody_gets_what_the_table_says"),
    "A32": ("web/test_signing.py::test_the_page_is_not_framed_and_other_sites_cannot_post_to_it",),
    "A33": (f"{SIGNING}::test_a33_a34_evidence_is_reached_through_its_own_request_only",),
    "A34": (f"{SIGNING}::test_a33_a34_evidence_is_reached_through_its_own_request_only",),
    "A35": (f"{SIGNING}::test_a35_what_the_portal_decides_cannot_be_posted",
            "api/test_requests.py::test_what_the_portal_decides_cannot_be_sent"),
    "A36": (f"{SIGNING}::test_a36_no_page_jumps_a_state", "api/test_requests.py::test_no_state_can_be_jumped",
            "rules/test_states.py::test_only_the_listed_moves_are_allowed"),
    "A37": (f"{SIGNING}::test_a37_a_role_that_nobody_holds_any_more_stays_required",
            "services/test_policy_in_force.py::test_a_request_keeps_the_rule_it_was_submitted_under",
            "services/test_policy_in_force.py::test_what_no_rule_catches_cannot_be_submitted"),
    "A38": (f"{SIGNING}::test_a38_a_target_cannot_be_relabelled",),
    "A39": ("api/test_votes.py::test_who_votes_and_who_does_not",),
    "A40": ("api/test_votes.py::test_who_votes_and_who_does_not",),
    "A41": ("accounts/test_admin.py::test_a_superuser_can_read_every_table_and_change_none",
            "engine/test_guards.py::test_a_plan_that_was_changed_in_the_portals_database_is_not_run",
            "services/test_step_up.py::test_the_database_keeps_challenges_and_takes_no_vote_without_one"),
    "A42": (f"{SIGNING}::test_a01_a42_the_requester_signs_by_no_door",
            "accounts/test_admin.py::test_a_superuser_flag_lets_nobody_sign_or_file"),
    "A43": (f"{SIGNING}::test_a43_a_message_about_nothing_does_nothing_and_is_noticed",),
    "A44": (f"{SIGNING}::test_a44_the_second_of_two_approved_rollbacks_finds_another_ledger",),
    "A45": (f"{SIGNING}::test_a45_a_signature_on_one_request_is_none_on_another",),
    "A46": ("web/test_signing.py::test_long_sql_is_signed_only_from_the_page_that_shows_all_of_it",
            "web/test_static.py::test_a_character_that_hides_or_reorders_text_is_shown",
            "web/test_static.py::test_sql_is_escaped_and_its_text_is_complete"),
    "A47": ("services/test_emergencies.py::test_the_requester_alone_cannot_break_it",
            "services/test_emergencies.py::test_it_needs_an_incident_and_a_reason",
            "services/test_emergencies.py::test_nobody_breaks_it_twice_before_the_review",
            "services/test_emergencies.py::test_an_overdue_review_is_told_once"),
    "A48": ("abuse/test_routes.py::test_every_address_has_a_row_and_every_row_an_address",
            "abuse/test_routes.py::test_everybody_gets_what_the_table_says",
            "api/test_table.py::test_everybody_gets_what_the_table_says"),
}  # fmt: skip


class Edit(NamedTuple):
    """A place in a file, and what stands there once the guard is taken out."""

    file: str
    guard: str
    without: str


class Guard(NamedTuple):
    """What a row rests on. Where two places say the same no, each is enough, so both are taken out together."""

    rows: tuple[str, ...]
    edits: tuple[Edit, ...]


def _guard(rows: tuple[str, ...], *edits: tuple[str, str, str]) -> Guard:
    return Guard(rows, tuple(Edit(*edit) for edit in edits))


STEP_UP = "approvals/step_up.py"
POLICY, HOLDING, SERVICES = "approvals/policy.py", "approvals/holding.py", "approvals/services.py"
SUBMISSION, PREFLIGHT, SIGN = (
    "rollbacks/services/submission.py",
    "rollbacks/steps/preflight.py",
    "rollbacks/views/signing.py",
)
GUARDS = (
    _guard(("A01", "A42"), (SUBMISSION, 'touched[request.author_id] = "You filed', 'touched[0] = "You filed')),
    _guard(("A02", "A03", "A05"), (SUBMISSION, 'touched[person] = "You edited', 'touched[0] = "You edited')),
    _guard(("A04",), (SERVICES, "    _refuse_second_account(case, person)\n", "")),
    _guard(("A06",), (POLICY, "    if any(vote.person == person for vote in votes):\n", "    if False:\n"), (POLICY, "    elif any(_parties(vote) & {person, principal or person} for vote in votes):\n", "    elif False:\n")),
    _guard(("A06",), ("rollbacks/request_page.py", "held = holders_of(asked, without=without)", "held = {}")),
    _guard(("A08",), ("approvals/people.py", "    refuse_twin(username=username, name=name, email=email)\n", "")),
    _guard(("A09",), (HOLDING, "if meddled and (standing.since > opened_at or at - standing.since < SETTLED):", "if False:")),
    _guard(("A10",), (POLICY, "if vote.role not in roles_now.get(vote.person, ()):", "if False:"), (HOLDING, "    if standing is None or standing.delegation != delegation:\n", "    if standing is None:\n        return \"\"\n    if standing.delegation != delegation:\n")),
    _guard(("A11",), (HOLDING, "if standing.interrupted_at is None or standing.interrupted_at < at:", "if True:")),
    _guard(("A12",), ("approvals/grants.py", "groups.get(role) != grant.group:", "role not in groups:")),
    _guard(("A13", "A10"), ("rollbacks/settling.py", "        refusal = _refusal(execution, run)\n", '        refusal = ""\n')),
    _guard(("A14", "A15", "A17", "A21"), ("rollbacks/services/requests.py", '        reopen(facts, request, reason=f"{actor.get_username()} edited the request.")\n', "")),
    _guard(("A16", "A38"), (PREFLIGHT, "    if found.digest == digest:\n", "    if found.digest:\n")),
    _guard(("A18", "A44"), (PREFLIGHT, "    if blocking:\n", "    if False:\n")),
    _guard(("A19",), ("rollbacks/steps/rehearse.py", "    if proven != (return_point.digest, newest.digest):\n", "    if False:\n")),
    _guard(("A20", "A21"), (SERVICES, "    if case.digest != digest_seen:\n", "    if False:\n")),
    _guard(("A22",),
           ("rollbacks/services/running.py", "        request = lock_request(request_id)\n        revision = _approved_revision(request)\n",
            "        request = Request.objects.select_related(\"target\", \"author\").get(pk=request_id)\n        revision = _approved_revision(request)\n"),
           ("rollbacks/services/moves.py", "filter(pk=request.pk, state=before)", "filter(pk=request.pk)"),
           ("rollbacks/migrations/0001_initial.py", "fields=('target',), name='execution_one_open", "fields=('target', 'id'), name='execution_one_open"),
           ("rollbacks/migrations/0001_initial.py", "fields=('request', 'number'), name='execution_once'", "fields=('request', 'number', 'id'), name='execution_once'")),
    _guard(("A23",), ("rollbacks/services/signing.py", "if decision.state is Judged.REJECTED and", "if False and")),
    _guard(("A07", "A25"), (STEP_UP, "    if used != 1:\n", "    if False:\n"), (POLICY, "    if any(vote.person == person for vote in votes):\n", "    if False:\n"), (POLICY, "    elif any(_parties(vote) & {person, principal or person} for vote in votes):\n", "    elif False:\n")),
    _guard(("A24",), ("approvals/standing.py", "            _taken_back(vote)\n            or _switched_off(vote)\n", "            _switched_off(vote)\n")),
    _guard(("A26",), (STEP_UP, "        digest=statement.digest,\n        role=statement.role,\n        choice=statement.choice,\n"
          "        reason_sha256=sha256(statement.reason.strip()),\n        used_at__isnull=True,\n", "        used_at__isnull=True,\n")),
    _guard(("A27",), (STEP_UP, "    if not authenticator.wrap().validate_code(code):\n", '    if not validate_totp_code(decrypt(authenticator.data["secret"]), code):\n')),
    _guard(("A28",), (POLICY, "if policy.votes_expire_hours and now", "if False and now")),
    _guard(("A29",), (POLICY, "elif expires_at is not None and now >= expires_at:", "elif False:")),
    _guard(("A30",), ("portal/health.py", "    if skew > LARGEST_SKEW_SECONDS:\n", "    if False:\n")),
    _guard(("A31",), ("portal/settings.py", '    "django.middleware.csrf.CsrfViewMiddleware",\n', "")),
    _guard(("A32",), ("portal/settings.py", '"frame-ancestors": [NONE],', '"frame-ancestors": [SELF],')),
    _guard(("A33", "A34"), ("rollbacks/views/requests.py", "answers__request_id=pk", "answers__isnull=False")),
    _guard(("A35",), ("rollbacks/services/guarded.py", "    if not found:\n", "    if True:\n")),
    _guard(("A36",), ("rollbacks/services/moves.py", "    if not may_move(before, after):\n", "    if False:\n")),
    _guard(("A37",), (POLICY, "elif missing or not policy.needs:", "elif False:")),
    _guard(("A38",), (SUBMISSION, "    found += _twin_blockers(reading)\n", "")),
    _guard(("A39",), (SERVICES, "    if is_service_account(person):\n", "    if False:\n")),
    _guard(("A40",), ("rollbacks/api/callers.py", "VOTES = [NoVote(), SESSION]", "VOTES = [TokenFile(), SESSION]")),
    _guard(("A41",), ("portal/admin_site.py", "    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:\n"
          '        """Answer no."""\n        return False', "    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:\n"
          '        """Answer no."""\n        return True')),
    _guard(("A41",), (PREFLIGHT, "    if signed.digest != digest:\n", "    if False:\n")),
    _guard(("A43",), ("rollbacks/tasks.py", "    if not Execution.objects.filter(pk=execution_id).exists():\n", "    if False:\n")),
    # The challenge is of one statement, what the passkey signs is its hash, and the vote uses that challenge up.
    _guard(("A45",),
           (STEP_UP, "    if made.subject != statement.subject:\n", "    if False:\n"),
           (STEP_UP, "    if made.digest != statement.digest:\n", "    if False:\n"),
           (STEP_UP, '            "subject": self.subject,\n            "digest": self.digest,\n', '            "subject": "",\n            "digest": "",\n'),
           (STEP_UP, "        subject=statement.subject,\n        digest=statement.digest,\n        role=statement.role,\n        choice=statement.choice,\n"
            "        reason_sha256=sha256(statement.reason.strip()),\n        used_at__isnull=True,\n", "        used_at__isnull=True,\n")),
    _guard(("A46",), (SIGN, "    if revision is None or (revision.plan or {})", "    if False and (revision.plan or {})")),
    _guard(("A47",), ("approvals/reviews.py", "    if review is None:\n        return \"\"\n", "    return \"\"\n")),
    _guard(("A48",), ("rollbacks/views/doors.py", "        if not roles_of(request.user):\n", "        if False:\n")),
)  # fmt: skip


def main() -> int:
    """Take each guard out, or those of the rows given, and report; return 1 when a row does not notice."""
    asked = set(sys.argv[1:])
    unnoticed = 0
    for guard in GUARDS:
        if asked and not asked & set(guard.rows):
            continue
        noticed = _noticed(guard, sorted({f"tests/{test}" for row in guard.rows for test in ROWS[row]}))
        unnoticed += not noticed
        first = guard.edits[0]
        said = f"{first.file}: {first.guard.strip().splitlines()[0]}"
        print(f"{'noticed  ' if noticed else 'UNNOTICED'} {', '.join(guard.rows):<20} {said}", flush=True)
    return 1 if unnoticed else 0


def _noticed(guard: Guard, tests: list[str]) -> bool:
    """Run the tests without the guard, and put everything back."""
    whole = {file: (ROOT / file).read_text() for file in {edit.file for edit in guard.edits}}
    try:
        for edit in guard.edits:
            path = ROOT / edit.file
            path.write_text(path.read_text().replace(edit.guard, edit.without, 1))
        done = subprocess.run(
            ["./dev", "test", "-x", "-q", "-n", "2", "--dist", "loadgroup", *tests],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        for file, text in whole.items():
            (ROOT / file).write_text(text)
    return bool(done.stdout) and "failed" in done.stdout.splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
