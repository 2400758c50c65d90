"""Follow-ups of rollbacks that removed audit immutability; the database lets a row only be closed, once."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

KEEP = """
CREATE FUNCTION rollbacks_follow_up_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['acceptance', 'outcome', 'closed_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL OR to_jsonb(OLD) - later <> to_jsonb(NEW) - later THEN
        RAISE EXCEPTION '% can only be closed, once: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rollbacks_followup_keep BEFORE UPDATE OR DELETE ON rollbacks_followup
    FOR EACH ROW EXECUTE FUNCTION rollbacks_follow_up_keep();
ALTER TABLE rollbacks_followup ENABLE ALWAYS TRIGGER rollbacks_followup_keep;
"""
RELEASE = """
DROP TRIGGER rollbacks_followup_keep ON rollbacks_followup;
DROP FUNCTION rollbacks_follow_up_keep();
"""


class Migration(migrations.Migration):
    """Add follow-ups."""

    dependencies = [
        ("rollbacks", "0005_kept_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("removed", models.JSONField()),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("acceptance", models.JSONField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("restored", "Restored"), ("accepted", "Accepted")], max_length=16
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "execution",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="follow_up", to="rollbacks.execution"
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="follow_ups", to="rollbacks.target"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)), fields=["target"], name="follow_up_open"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("outcome", "")),
                            models.Q(("closed_at__isnull", False), ("outcome__in", ["restored", "accepted"])),
                            _connector="OR",
                        ),
                        name="follow_up_closed_with_outcome",
                    )
                ],
            },
        ),
        migrations.RunSQL(KEEP, RELEASE),
    ]
