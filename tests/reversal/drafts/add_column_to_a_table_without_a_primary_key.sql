-- CREATE TABLE IF NOT EXISTS people_log (line text); ALTER TABLE people_log ADD COLUMN at timestamptz DEFAULT now();

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people_log ADD COLUMN at timestamptz DEFAULT now()
ALTER TABLE "public"."people_log" ALTER COLUMN "at" DROP DEFAULT;
ALTER TABLE "public"."people_log" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."people_log" RENAME TO "rb1_1_people_log";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_log', '"public"."people_log"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_log";

-- again: INSERT INTO "public"."people_log" ("line", "at")
SELECT kept."line", kept."at" FROM "rollback_archive"."rb1_1_people_log" AS kept
ON CONFLICT DO NOTHING;