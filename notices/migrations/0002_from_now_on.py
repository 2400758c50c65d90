"""Start reading the trail at its present end: what happened before there were notices is not told any more."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def start_here(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put the reading position at the newest fact."""
    newest = apps.get_model("records", "Fact").objects.order_by("-seq").values_list("seq", flat=True).first()
    apps.get_model("notices", "Turn").objects.get_or_create(name="reading", defaults={"seq": newest or 0})


class Migration(migrations.Migration):
    """Set the position from which the trail is read."""

    dependencies = [("notices", "0001_initial"), ("records", "0002_append_only")]

    operations = [migrations.RunPython(start_here, migrations.RunPython.noop)]
