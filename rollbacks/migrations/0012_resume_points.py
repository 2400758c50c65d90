"""Resume points of statements that run outside the transaction."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    """Add the table; plans from before hold no such statements."""

    dependencies = [("rollbacks", "0011_backups")]

    operations = [
        migrations.CreateModel(
            name="ResumePoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("begun", "Begun"), ("done", "Done"), ("undone", "Undone")], max_length=8
                    ),
                ),
                ("attempt", models.PositiveIntegerField()),
                ("evidence", models.JSONField(default=dict)),
                ("begun_at", models.DateTimeField(db_default=Now())),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "execution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resume_points",
                        to="rollbacks.execution",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("execution", "number"), name="resume_point_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["begun", "done", "undone"])),
                        name="resume_point_known_state",
                    ),
                ],
            },
        ),
    ]
