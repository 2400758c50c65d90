-- CREATE TYPE rank AS ENUM ('a', 'b'); ALTER TABLE people ADD COLUMN rank rank DEFAULT 'a' NOT NULL;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN rank rank DEFAULT 'a' NOT NULL
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "rank"::text AS "rank"
FROM "public"."people" WHERE "rank" IS DISTINCT FROM 'a'::public.rank;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "rank";
DROP TYPE "public"."rank";

-- again: UPDATE "public"."people" AS live SET "rank" = kept."rank"::public.rank
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";