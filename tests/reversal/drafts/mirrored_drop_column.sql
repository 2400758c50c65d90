-- -- RESIDUE: The values of "public"."people"."note" are gone; take them from a backup, or derive them.
-- undoes line 1: ALTER TABLE people DROP COLUMN note
ALTER TABLE "public"."people" ADD COLUMN "note" text;


-- the archive is prepared
-- the archive is prepared
-- undoes line 3: ALTER TABLE "public"."people" ADD COLUMN "note" text
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "note"
FROM "public"."people" WHERE "note" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "note";

-- again: UPDATE "public"."people" AS live SET "note" = kept."note"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";