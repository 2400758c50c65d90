-- CREATE TYPE place AS (lat double precision, lon double precision); ALTER TABLE people ADD COLUMN home place;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN home place
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "home"::text AS "home"
FROM "public"."people" WHERE "home" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "home";
DROP TYPE "public"."place";

-- again: UPDATE "public"."people" AS live SET "home" = kept."home"::public.place
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";