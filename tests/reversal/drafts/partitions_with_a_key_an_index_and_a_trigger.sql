-- CREATE TABLE log (at date NOT NULL, id integer, what text, PRIMARY KEY (at, id)) PARTITION BY RANGE (at); CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY HASH (id); CREATE TABLE log_2026_0 PARTITION OF log_2026 FOR VALUES WITH (MODULUS 1, REMAINDER 0); CREATE INDEX log_what ON log (what); CREATE TRIGGER log_touch BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch();

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE TRIGGER log_touch BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch()
DROP TRIGGER "log_touch" ON "public"."log";
ALTER TABLE "public"."log" DROP CONSTRAINT "log_pkey";
-- undoes line 1: CREATE TRIGGER log_touch BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch()
DROP INDEX "public"."log_what";
ALTER TABLE "public"."log_2026_0" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."log_2026_0" RENAME TO "rb1_1_log_2026_0";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_log_2026_0', '"public"."log_2026_0"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_log_2026_0";
ALTER TABLE "public"."log_2026" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."log_2026" RENAME TO "rb1_1_log_2026";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_log_2026', '"public"."log_2026"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_log_2026";
ALTER TABLE "public"."log" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."log" RENAME TO "rb1_1_log";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_log', '"public"."log"', ARRAY['at', 'id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_log";

-- again: INSERT INTO "public"."log_2026_0" ("at", "id", "what")
SELECT kept."at", kept."id", kept."what" FROM "rollback_archive"."rb1_1_log_2026_0" AS kept
ON CONFLICT DO NOTHING;
-- again: INSERT INTO "public"."log_2026" ("at", "id", "what")
SELECT kept."at", kept."id", kept."what" FROM "rollback_archive"."rb1_1_log_2026" AS kept
ON CONFLICT DO NOTHING;
-- again: INSERT INTO "public"."log" ("at", "id", "what")
SELECT kept."at", kept."id", kept."what" FROM "rollback_archive"."rb1_1_log" AS kept
ON CONFLICT DO NOTHING;