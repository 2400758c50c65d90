-- CREATE TABLE log (at date NOT NULL, what text) PARTITION BY RANGE (at); CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
ALTER TABLE "public"."log_2026" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."log_2026" RENAME TO "rb1_1_log_2026";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_log_2026', '"public"."log_2026"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_log_2026";
ALTER TABLE "public"."log" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."log" RENAME TO "rb1_1_log";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_log', '"public"."log"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_log";

-- again: INSERT INTO "public"."log_2026" ("at", "what")
SELECT kept."at", kept."what" FROM "rollback_archive"."rb1_1_log_2026" AS kept
ON CONFLICT DO NOTHING;
-- again: INSERT INTO "public"."log" ("at", "what")
SELECT kept."at", kept."what" FROM "rollback_archive"."rb1_1_log" AS kept
ON CONFLICT DO NOTHING;