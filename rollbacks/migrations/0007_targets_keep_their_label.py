"""A registered target can be retired and nothing else: its label decides which rule of the policy catches a rollback."""

from __future__ import annotations

from django.db import migrations

KEEP = """
CREATE FUNCTION rollbacks_target_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.retired_at IS NOT NULL OR to_jsonb(OLD) - 'retired_at' <> to_jsonb(NEW) - 'retired_at' THEN
        RAISE EXCEPTION 'a target is not changed: retire it and register another; % refused', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER rollbacks_target_keep BEFORE UPDATE OR DELETE ON rollbacks_target
    FOR EACH ROW EXECUTE FUNCTION rollbacks_target_keep();
ALTER TABLE rollbacks_target ENABLE ALWAYS TRIGGER rollbacks_target_keep;
"""
RELEASE = """
DROP TRIGGER rollbacks_target_keep ON rollbacks_target;
DROP FUNCTION rollbacks_target_keep();
"""


class Migration(migrations.Migration):
    """Let targets be retired only."""

    dependencies = [("rollbacks", "0006_follow_ups")]

    operations = [migrations.RunSQL(KEEP, RELEASE)]
