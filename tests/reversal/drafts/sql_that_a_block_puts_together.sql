-- DO $$ BEGIN EXECUTE format('ALTER TABLE people ADD COLUMN %I text', 'nick'); END $$;

-- FILL IN: Line 1 is a DO block; only what it did to the catalog is undone.
-- the archive is prepared
-- the archive is prepared
-- undoes line 1: DO $$ BEGIN EXECUTE format('ALTER TABLE people ADD COLUMN %I text', 'nick'); END $$
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "nick"
FROM "public"."people" WHERE "nick" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "nick";

-- again: UPDATE "public"."people" AS live SET "nick" = kept."nick"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";