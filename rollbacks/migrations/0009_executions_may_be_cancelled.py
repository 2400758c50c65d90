"""Executions keep who asked them to stop, when and why."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the three columns; executions from before were never asked to stop."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("rollbacks", "0008_project_options"),
    ]

    operations = [
        migrations.AddField("execution", "cancel_asked_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "execution",
            "cancel_asked_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("execution", "cancel_reason", models.TextField(blank=True, default="")),
        migrations.AlterField("execution", "cancel_reason", models.TextField(blank=True)),
    ]
