-- ALTER TABLE people ADD COLUMN code text; UPDATE people SET code = 'p' || id;

-- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- the archive is prepared
-- the archive is prepared
-- undoes line 1: UPDATE people SET code = 'p' || id
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "code"
FROM "public"."people" WHERE "code" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "code";

-- again: UPDATE "public"."people" AS live SET "code" = kept."code"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";