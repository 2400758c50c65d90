"""What is written of grants and delegations stays, interruptions write themselves, and memberships become grants."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

KEEP = """
CREATE FUNCTION approvals_only_go_on() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['confirmed_by_id', 'confirmed_at', 'ended_by_id', 'ended_at', 'ended_reason'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL OR to_jsonb(OLD) - later <> to_jsonb(NEW) - later
       OR (OLD.confirmed_at IS NOT NULL
           AND (OLD.confirmed_at, OLD.confirmed_by_id) IS DISTINCT FROM (NEW.confirmed_at, NEW.confirmed_by_id)) THEN
        RAISE EXCEPTION '% can only be confirmed and ended, each once: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION approvals_interrupt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.is_active AND NOT NEW.is_active THEN
        INSERT INTO approvals_interruption (person_id, kind) VALUES (NEW.id, 'switched_off');
    END IF;
    -- Django marks a password that nobody can enter with an exclamation mark.
    IF OLD.password <> '' AND OLD.password NOT LIKE '!%' AND NEW.password LIKE '!%' THEN
        INSERT INTO approvals_interruption (person_id, kind) VALUES (NEW.id, 'password_withdrawn');
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER approvals_rolegrant_keep BEFORE UPDATE OR DELETE ON approvals_rolegrant
    FOR EACH ROW EXECUTE FUNCTION approvals_only_go_on();
CREATE TRIGGER approvals_delegation_keep BEFORE UPDATE OR DELETE ON approvals_delegation
    FOR EACH ROW EXECUTE FUNCTION approvals_only_go_on();
CREATE TRIGGER approvals_interruption_keep BEFORE UPDATE OR DELETE ON approvals_interruption
    FOR EACH ROW EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER approvals_account_interrupted AFTER UPDATE OF is_active, password ON auth_user
    FOR EACH ROW EXECUTE FUNCTION approvals_interrupt();
ALTER TABLE approvals_rolegrant ENABLE ALWAYS TRIGGER approvals_rolegrant_keep;
ALTER TABLE approvals_delegation ENABLE ALWAYS TRIGGER approvals_delegation_keep;
ALTER TABLE approvals_interruption ENABLE ALWAYS TRIGGER approvals_interruption_keep;
ALTER TABLE auth_user ENABLE ALWAYS TRIGGER approvals_account_interrupted;
"""
RELEASE = """
DROP TRIGGER approvals_account_interrupted ON auth_user;
DROP TRIGGER approvals_interruption_keep ON approvals_interruption;
DROP TRIGGER approvals_delegation_keep ON approvals_delegation;
DROP TRIGGER approvals_rolegrant_keep ON approvals_rolegrant;
DROP FUNCTION approvals_interrupt();
DROP FUNCTION approvals_only_go_on();
"""
ROLES = ("engineer", "platform", "security", "cto", "on-call", "auditor", "administrator")


def grants_from_groups(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Turn each membership of a role's group into a grant; the groups are not read any more after this."""
    groups = apps.get_model("auth", "Group").objects.filter(name__in=ROLES)
    grant = apps.get_model("approvals", "RoleGrant")
    grant.objects.bulk_create(
        grant(
            person=person, role=group.name, source="migration", group=str(group.pk),
            reason="Member of the role's group when grants were introduced.",
            # When somebody joined a group was never kept; votes given until now must not lapse by an upgrade.
            proposed_at=person.date_joined, confirmed_at=person.date_joined,
        )
        for group in groups
        for person in group.user_set.all()
    )  # fmt: skip


class Migration(migrations.Migration):
    """Triggers of grants, delegations, interruptions and accounts; grants for today's members."""

    dependencies = [
        ("approvals", "0005_people"),
        ("records", "0002_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(grants_from_groups, migrations.RunPython.noop),
        migrations.RunSQL(KEEP, RELEASE),
    ]
