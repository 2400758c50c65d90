"""Kept backups with their holds, files that belong to none, and how long a target's backups are kept.

The database lets a backup only be judged and removed, and a hold only be lifted; it refuses to remove what is held.
"""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

KEEP = """
CREATE FUNCTION rollbacks_backup_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['restored_at', 'refusal', 'removing_at', 'removed_at', 'removal'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL OR to_jsonb(OLD) - later <> to_jsonb(NEW) - later
       OR (OLD.removing_at IS NOT NULL AND OLD.removing_at IS DISTINCT FROM NEW.removing_at) THEN
        RAISE EXCEPTION 'a backup can only be judged and removed, once: % refused', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.removing_at IS NULL AND NEW.removing_at IS NOT NULL AND (OLD.expires_at > now() OR EXISTS (
        SELECT FROM rollbacks_backuphold h
         WHERE h.backup_id = OLD.id AND h.lifted_at IS NULL AND (h.until IS NULL OR h.until > now())
    )) THEN
        RAISE EXCEPTION 'the backup is held or its time is not over: removal refused' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION rollbacks_backup_hold_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    later text[] := ARRAY['lifted_by_id', 'lifted_at', 'lift_reason'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.lifted_at IS NOT NULL OR to_jsonb(OLD) - later <> to_jsonb(NEW) - later THEN
        RAISE EXCEPTION 'a hold can only be lifted, once: % refused', TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rollbacks_backup_keep BEFORE UPDATE OR DELETE ON rollbacks_backup
    FOR EACH ROW EXECUTE FUNCTION rollbacks_backup_keep();
CREATE TRIGGER rollbacks_backuphold_keep BEFORE UPDATE OR DELETE ON rollbacks_backuphold
    FOR EACH ROW EXECUTE FUNCTION rollbacks_backup_hold_keep();
ALTER TABLE rollbacks_backup ENABLE ALWAYS TRIGGER rollbacks_backup_keep;
ALTER TABLE rollbacks_backuphold ENABLE ALWAYS TRIGGER rollbacks_backuphold_keep;
"""
RELEASE = """
DROP TRIGGER rollbacks_backuphold_keep ON rollbacks_backuphold;
DROP TRIGGER rollbacks_backup_keep ON rollbacks_backup;
DROP FUNCTION rollbacks_backup_hold_keep();
DROP FUNCTION rollbacks_backup_keep();
"""


class Migration(migrations.Migration):
    """Add three tables and a column."""

    dependencies = [
        ("rollbacks", "0010_attempts_only_grow"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="target",
            name="backup_days",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="Backup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("location", models.CharField(max_length=500)),
                ("name", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("plain_sha256", models.CharField(max_length=64)),
                ("plain_size", models.BigIntegerField()),
                (
                    "recipients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=4000), blank=True, default=list, size=None
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("restored_at", models.DateTimeField(null=True)),
                ("refusal", models.TextField(blank=True)),
                ("removing_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("removal", models.TextField(blank=True)),
                (
                    "execution",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="backup", to="rollbacks.execution"
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="backups", to="rollbacks.target"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BackupHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("placed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("reason", models.TextField()),
                ("until", models.DateTimeField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lift_reason", models.TextField(blank=True)),
                (
                    "backup",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="rollbacks.backup"
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="StrayFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("location", models.CharField(max_length=500)),
                ("name", models.CharField(max_length=500)),
                ("size", models.BigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("partial", "Partial"),
                            ("leftover", "Leftover"),
                            ("unknown", "Unknown"),
                            ("foreign", "Foreign"),
                        ],
                        max_length=16,
                    ),
                ),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("gone_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("gone_at__isnull", True)),
                        fields=("location", "name"),
                        name="stray_file_once",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="backup",
            index=models.Index(
                condition=models.Q(("removed_at__isnull", True)), fields=["expires_at"], name="backup_kept"
            ),
        ),
        migrations.AddIndex(
            model_name="backup",
            index=models.Index(fields=["target", "-id"], name="backup_target"),
        ),
        migrations.AddConstraint(
            model_name="backup",
            constraint=models.CheckConstraint(
                condition=models.Q(("removed_at__isnull", True), ("removing_at__isnull", False), _connector="OR"),
                name="backup_removed_by_decision",
            ),
        ),
        migrations.AddIndex(
            model_name="backuphold",
            index=models.Index(
                condition=models.Q(("lifted_at__isnull", True)), fields=["backup"], name="backup_hold_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="backuphold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at__isnull", True), ("lifted_by__isnull", True)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="backup_hold_lifted_by_somebody",
            ),
        ),
        migrations.RunSQL(KEEP, RELEASE),
    ]
