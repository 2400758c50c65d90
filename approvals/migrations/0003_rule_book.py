"""Votes by the database's clock, taken back and abstained; reviews of emergencies."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

KEEP = "".join(
    f"""
CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER {table}_keep_all BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep_all;
"""
    for table in ("approvals_withdrawal",)
)


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0002_sign_offs_stay"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("reason", models.TextField()),
                (
                    "taken_part",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None),
                ),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField()),
                ("told_overdue_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("justified", models.BooleanField(null=True)),
                ("finding", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField()),
                ("withdrawn_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="signoff",
            name="sign_off_once_per_person",
        ),
        migrations.RemoveConstraint(
            model_name="signoff",
            name="sign_off_known_choice",
        ),
        migrations.AddField(
            model_name="signoff",
            name="earlier",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="case",
            name="opened_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name="signoff",
            name="choice",
            field=models.CharField(
                choices=[("approve", "approve"), ("reject", "reject"), ("abstain", "abstain")], max_length=16
            ),
        ),
        migrations.AlterField(
            model_name="signoff",
            name="signed_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddConstraint(
            model_name="signoff",
            constraint=models.UniqueConstraint(fields=("case", "person", "earlier"), name="sign_off_once_per_person"),
        ),
        migrations.AddConstraint(
            model_name="signoff",
            constraint=models.CheckConstraint(
                condition=models.Q(("choice__in", ["approve", "reject", "abstain"])), name="sign_off_known_choice"
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="done_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="owner",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="used_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="sign_off",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="withdrawal", to="approvals.signoff"
            ),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(fields=["used_by", "done_at"], name="review_of_person"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("done_at__isnull", True),
                    models.Q(("done_by__isnull", False), ("justified__isnull", False)),
                    _connector="OR",
                ),
                name="review_done_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("done_by__isnull", True),
                    models.Q(("done_by", models.F("used_by")), _negated=True),
                    _connector="OR",
                ),
                name="review_by_another",
            ),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
    ]
