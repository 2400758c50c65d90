-- CREATE TABLE log (line text); 

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE TABLE log (line text)
ALTER TABLE "public"."log" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."log" RENAME TO "rb1_1_log";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_log', '"public"."log"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_log";

-- again: INSERT INTO "public"."log" ("line")
SELECT kept."line" FROM "rollback_archive"."rb1_1_log" AS kept
ON CONFLICT DO NOTHING;