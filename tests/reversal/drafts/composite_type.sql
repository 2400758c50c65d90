-- CREATE TYPE point3 AS (x integer, y integer, z integer); CREATE TABLE places (id integer PRIMARY KEY, at point3);

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."places" DROP CONSTRAINT "places_pkey";
-- undoes line 1: CREATE TABLE places (id integer PRIMARY KEY, at point3)
ALTER TABLE "public"."places" ALTER COLUMN "at" SET DATA TYPE text;
ALTER TABLE "public"."places" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."places" RENAME TO "rb1_1_places";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_places', '"public"."places"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_places";
DROP TYPE "public"."point3";

-- again: INSERT INTO "public"."places" ("id", "at")
SELECT kept."id", kept."at"::public.point3 FROM "rollback_archive"."rb1_1_places" AS kept
ON CONFLICT DO NOTHING;