-- CREATE DOMAIN email AS text CHECK (VALUE ~ '@'); ALTER TABLE people ADD COLUMN second email;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN second email
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "second"::text AS "second"
FROM "public"."people" WHERE "second" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "second";
DROP DOMAIN "public"."email";

-- again: UPDATE "public"."people" AS live SET "second" = kept."second"::public.email
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";