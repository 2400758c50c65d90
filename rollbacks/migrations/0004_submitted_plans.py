"""Every plan that was ever submitted is kept, so that a stale page can be shown what changed since."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the plans as they were submitted."""

    dependencies = [("rollbacks", "0003_emergencies")]

    operations = [
        migrations.CreateModel(
            name="SubmittedPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("plan", models.JSONField()),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submitted_plans",
                        to="rollbacks.request",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("request", "digest"), name="submitted_plan_once"),
                ],
            },
        ),
    ]
