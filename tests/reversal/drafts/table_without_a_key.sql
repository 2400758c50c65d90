-- CREATE TABLE loose (a integer, b text); ALTER TABLE people ADD COLUMN x text;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN x text
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "x"
FROM "public"."people" WHERE "x" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "x";
ALTER TABLE "public"."loose" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."loose" RENAME TO "rb1_1_loose";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_loose', '"public"."loose"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_loose";

-- again: UPDATE "public"."people" AS live SET "x" = kept."x"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";
-- again: INSERT INTO "public"."loose" ("a", "b")
SELECT kept."a", kept."b" FROM "rollback_archive"."rb1_1_loose" AS kept
ON CONFLICT DO NOTHING;