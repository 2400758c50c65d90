-- DO $$ BEGIN EXECUTE 'ALTER TABLE people ADD COLUMN done boolean DEFAULT false'; END $$;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: DO $$ BEGIN EXECUTE 'ALTER TABLE people ADD COLUMN done boolean DEFAULT false'; END $$
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "done"
FROM "public"."people" WHERE "done" IS DISTINCT FROM false;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "done";

-- again: UPDATE "public"."people" AS live SET "done" = kept."done"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";