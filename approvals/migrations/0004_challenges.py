"""Votes carry how they were confirmed, and the challenge that was used for it exactly once."""

from __future__ import annotations

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

# The one change that a challenge may see is its use; NEW with the old used_at has to be OLD otherwise.
ONLY_USED = """
CREATE FUNCTION approvals_challenge_only_used() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    unused public.approvals_challenge := NEW;
BEGIN
    unused.used_at := NULL;
    IF OLD.used_at IS NOT NULL OR NEW.used_at IS NULL OR unused IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'a challenge is kept as it was made; it can only be used, once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER approvals_challenge_only_used BEFORE UPDATE ON approvals_challenge
    FOR EACH ROW EXECUTE FUNCTION approvals_challenge_only_used();
CREATE TRIGGER approvals_challenge_keep BEFORE DELETE ON approvals_challenge
    FOR EACH ROW EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER approvals_challenge_keep_all BEFORE TRUNCATE ON approvals_challenge
    FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change();
ALTER TABLE approvals_challenge ENABLE ALWAYS TRIGGER approvals_challenge_only_used;
ALTER TABLE approvals_challenge ENABLE ALWAYS TRIGGER approvals_challenge_keep;
ALTER TABLE approvals_challenge ENABLE ALWAYS TRIGGER approvals_challenge_keep_all;
"""
RELEASE = """
DROP TRIGGER approvals_challenge_keep_all ON approvals_challenge;
DROP TRIGGER approvals_challenge_keep ON approvals_challenge;
DROP TRIGGER approvals_challenge_only_used ON approvals_challenge;
DROP FUNCTION approvals_challenge_only_used();
"""
# Votes from before this migration have no challenge and stay as they are; NOT VALID binds every later one.
CONFIRMED = """
ALTER TABLE approvals_signoff ADD CONSTRAINT sign_off_confirmed
    CHECK (challenge_id IS NOT NULL AND method IN ('webauthn', 'totp')) NOT VALID;
"""
UNCONFIRMED = "ALTER TABLE approvals_signoff DROP CONSTRAINT sign_off_confirmed;"


class Migration(migrations.Migration):
    """Add challenges, and to each vote its confirmation."""

    dependencies = [
        ("approvals", "0003_rule_book"),
        ("records", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Challenge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("role", models.CharField(max_length=32)),
                ("choice", models.CharField(max_length=16)),
                ("reason_sha256", models.CharField(max_length=64)),
                ("nonce", models.CharField(max_length=64, unique=True)),
                ("rp_id", models.CharField(blank=True, max_length=253)),
                ("made_at", models.DateTimeField(db_default=Now())),
                ("expires_at", models.DateTimeField(db_default=Now() + datetime.timedelta(minutes=5))),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.RenameField(model_name="signoff", old_name="reauthenticated_at", new_name="confirmed_at"),
        migrations.AddField(model_name="signoff", name="confirmation", field=models.JSONField(default=dict)),
        migrations.AddField(
            model_name="signoff",
            name="challenge",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sign_off",
                to="approvals.challenge",
            ),
        ),
        migrations.RunSQL(ONLY_USED, RELEASE),
        migrations.RunSQL(CONFIRMED, UNCONFIRMED),
    ]
