-- CREATE TYPE colour AS ENUM ('red', 'green'); CREATE TABLE paint (id integer PRIMARY KEY, colour colour DEFAULT 'red' NOT NULL, more colour[]);

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."paint" DROP CONSTRAINT "paint_pkey";
-- undoes line 1: CREATE TABLE paint (id integer PRIMARY KEY, colour colour DEFAULT 'red' NOT NULL, more colour[])
ALTER TABLE "public"."paint" ALTER COLUMN "colour" DROP DEFAULT;
ALTER TABLE "public"."paint" ALTER COLUMN "colour" SET DATA TYPE text;
ALTER TABLE "public"."paint" ALTER COLUMN "more" SET DATA TYPE text[];
ALTER TABLE "public"."paint" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."paint" RENAME TO "rb1_1_paint";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_paint', '"public"."paint"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_paint";
DROP TYPE "public"."colour";

-- again: INSERT INTO "public"."paint" ("id", "colour", "more")
SELECT kept."id", kept."colour"::public.colour, kept."more"::public.colour[] FROM "rollback_archive"."rb1_1_paint" AS kept
ON CONFLICT DO NOTHING;