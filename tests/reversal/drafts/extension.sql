-- CREATE EXTENSION IF NOT EXISTS citext; ALTER TABLE people ADD COLUMN handle citext;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN handle citext
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "handle"::text AS "handle"
FROM "public"."people" WHERE "handle" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "handle";
DROP EXTENSION "citext";

-- again: UPDATE "public"."people" AS live SET "handle" = kept."handle"::public.citext
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";