"""A step keeps after which attempt a person let it go on, so that its attempt, the fence, never starts again."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the column; a step that was resumed before had its attempt set back, and counts on from there."""

    dependencies = [("recoveries", "0001_initial")]

    operations = [migrations.AddField("recoverystep", "resumed_after", models.PositiveIntegerField(default=0))]
