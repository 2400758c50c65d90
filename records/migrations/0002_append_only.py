"""Make the trail and the records append-only in the database itself, and the chain a constraint.

The triggers are ENABLE ALWAYS: an ordinary trigger is passed by session_replication_role = replica.
"""

from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION records_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION records_continue_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_seq bigint := 0;
    last_digest text := repeat('0', 64);
    spoken jsonb := NEW.line::jsonb;
BEGIN
    SELECT f.seq, f.digest INTO last_seq, last_digest FROM records_fact f ORDER BY f.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        last_seq := 0;
        last_digest := repeat('0', 64);
    END IF;
    IF NEW.seq <> last_seq + 1 OR NEW.previous <> last_digest THEN
        RAISE EXCEPTION 'line % does not continue the trail after line %', NEW.seq, last_seq
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.digest <> encode(sha256(convert_to(NEW.previous || E'\\n' || NEW.line, 'UTF8')), 'hex')
       OR (spoken ->> 'seq')::bigint IS DISTINCT FROM NEW.seq
       OR spoken ->> 'action' IS DISTINCT FROM NEW.action
       OR spoken ->> 'subject' IS DISTINCT FROM NEW.subject
       OR (spoken -> 'actor' ->> 'id')::bigint IS DISTINCT FROM NEW.actor_id THEN
        RAISE EXCEPTION 'line % does not agree with its digest or columns', NEW.seq
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION records_check_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.digest <> encode(sha256(convert_to(NEW.document, 'UTF8')), 'hex')
       OR NOT EXISTS (SELECT 1 FROM records_fact f WHERE f.seq = NEW.fact_id
                      AND f.line::jsonb -> 'detail' ->> 'digest' = NEW.digest) THEN
        RAISE EXCEPTION 'the record of % is not the one its fact sealed', NEW.subject
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER records_fact_insert BEFORE INSERT ON records_fact
    FOR EACH ROW EXECUTE FUNCTION records_continue_chain();
CREATE TRIGGER records_changerecord_insert BEFORE INSERT ON records_changerecord
    FOR EACH ROW EXECUTE FUNCTION records_check_seal();
CREATE TRIGGER records_fact_keep BEFORE UPDATE OR DELETE ON records_fact
    FOR EACH ROW EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER records_fact_keep_all BEFORE TRUNCATE ON records_fact
    FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER records_changerecord_keep BEFORE UPDATE OR DELETE ON records_changerecord
    FOR EACH ROW EXECUTE FUNCTION records_refuse_change();
CREATE TRIGGER records_changerecord_keep_all BEFORE TRUNCATE ON records_changerecord
    FOR EACH STATEMENT EXECUTE FUNCTION records_refuse_change();

ALTER TABLE records_fact ENABLE ALWAYS TRIGGER records_fact_insert;
ALTER TABLE records_fact ENABLE ALWAYS TRIGGER records_fact_keep;
ALTER TABLE records_fact ENABLE ALWAYS TRIGGER records_fact_keep_all;
ALTER TABLE records_changerecord ENABLE ALWAYS TRIGGER records_changerecord_insert;
ALTER TABLE records_changerecord ENABLE ALWAYS TRIGGER records_changerecord_keep;
ALTER TABLE records_changerecord ENABLE ALWAYS TRIGGER records_changerecord_keep_all;
"""

REVERSE = """
DROP TRIGGER records_fact_insert ON records_fact;
DROP TRIGGER records_fact_keep ON records_fact;
DROP TRIGGER records_fact_keep_all ON records_fact;
DROP TRIGGER records_changerecord_insert ON records_changerecord;
DROP TRIGGER records_changerecord_keep ON records_changerecord;
DROP TRIGGER records_changerecord_keep_all ON records_changerecord;
DROP FUNCTION records_continue_chain();
DROP FUNCTION records_check_seal();
DROP FUNCTION records_refuse_change();
"""


class Migration(migrations.Migration):
    """Triggers that refuse UPDATE, DELETE and TRUNCATE, and inserts that do not continue the chain."""

    dependencies = [("records", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
