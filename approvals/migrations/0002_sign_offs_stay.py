"""Sign-offs are append-only, and the groups that roles come from exist."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

KEEP = """
CREATE TRIGGER approvals_signoff_keep BEFORE UPDATE OR DELETE ON approvals_signoff
    FOR EACH ROW EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER approvals_signoff_keep_all BEFORE TRUNCATE ON approvals_signoff
    FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change();
ALTER TABLE approvals_signoff ENABLE ALWAYS TRIGGER approvals_signoff_keep;
ALTER TABLE approvals_signoff ENABLE ALWAYS TRIGGER approvals_signoff_keep_all;
"""
RELEASE = """
DROP TRIGGER approvals_signoff_keep ON approvals_signoff;
DROP TRIGGER approvals_signoff_keep_all ON approvals_signoff;
"""
ROLES = ("engineer", "platform", "security", "cto", "on-call", "auditor", "administrator")


def create_groups(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create one group for each role; a person's roles are the groups they are in."""
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    """Refuse changes of sign-offs and create the role groups."""

    dependencies = [
        ("approvals", "0001_initial"),
        ("records", "0002_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(KEEP, RELEASE),
        migrations.RunPython(create_groups, migrations.RunPython.noop),
    ]
