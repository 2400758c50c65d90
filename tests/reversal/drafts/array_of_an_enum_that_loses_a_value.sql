-- CREATE TYPE rank AS ENUM ('a', 'b'); ALTER TABLE people ADD COLUMN ranks rank[] DEFAULT '{a}'; ALTER TYPE mood ADD VALUE 'great';

-- RESIDUE: Rows that hold 'great' stop the rollback: decide what they become and say so with an UPDATE before it.
-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TYPE mood ADD VALUE 'great'
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "ranks"::text[] AS "ranks"
FROM "public"."people" WHERE "ranks" IS DISTINCT FROM '{a}'::public.rank[];
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
DROP VIEW "public"."adults";
-- undoes line 1: ALTER TYPE mood ADD VALUE 'great'
ALTER TABLE "public"."people" DROP COLUMN "ranks";
DROP TYPE "public"."rank";
ALTER TABLE "public"."people" ALTER COLUMN "mood" DROP DEFAULT;
ALTER TYPE "public"."mood" RENAME TO "mood_before_rollback";
CREATE TYPE "public"."mood" AS ENUM ('low', 'fine', 'high');
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DATA TYPE public.mood USING "mood"::text::public.mood;
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DEFAULT 'fine'::public.mood;
DROP TYPE "public"."mood_before_rollback";
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);

-- again: UPDATE "public"."people" AS live SET "ranks" = kept."ranks"::public.rank[]
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";