-- CREATE UNIQUE INDEX people_born ON people (born); CREATE TABLE days (born date REFERENCES people (born));

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."days" DROP CONSTRAINT "days_born_fkey";
-- undoes line 1: CREATE TABLE days (born date REFERENCES people (born))
DROP INDEX "public"."people_born";
ALTER TABLE "public"."days" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."days" RENAME TO "rb1_1_days";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_days', '"public"."days"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_days";

-- again: INSERT INTO "public"."days" ("born")
SELECT kept."born" FROM "rollback_archive"."rb1_1_days" AS kept
ON CONFLICT DO NOTHING;