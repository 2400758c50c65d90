"""The project's own commands and the other options of a target, and the rows of what goes on beside a run."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add options, deploy freezes, flag checks and patches."""

    dependencies = [
        ("rollbacks", "0007_targets_keep_their_label"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="target",
            name="command_seconds",
            field=models.PositiveIntegerField(default=900),
        ),
        migrations.AddField(
            model_name="target",
            name="command_variables",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=128), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="target",
            name="contract_tests",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=4000), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="target",
            name="deploy_freeze",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="target",
            name="flags",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="target",
            name="github",
            field=models.CharField(blank=True, max_length=140),
        ),
        migrations.AddField(
            model_name="target",
            name="migrate_command",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=4000), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="target",
            name="prepare_command",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=4000), blank=True, default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="PatchFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "execution",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="patch", to="rollbacks.execution"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeployFreeze",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("released_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sentence", models.TextField(blank=True)),
                (
                    "execution",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="freeze", to="rollbacks.execution"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at__isnull", True)), fields=["due_at"], name="deploy_freeze_owed"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FlagCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                ("seen", models.JSONField(default=list)),
                ("sentence", models.TextField(blank=True)),
                (
                    "answer",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flag_check",
                        to="rollbacks.answer",
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="flag_checks", to="rollbacks.request"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["request", "-id"], name="flag_check_newest"),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)), fields=["asked_at"], name="flag_check_open"
                    ),
                ],
            },
        ),
    ]
