-- DO $$ BEGIN IF to_regclass('public.persons') IS NOT NULL THEN ALTER TABLE people RENAME COLUMN memo TO note; END IF; END $$; ALTER TABLE people ADD COLUMN nick text;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN nick text
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "nick"
FROM "public"."people" WHERE "nick" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "nick";

-- again: UPDATE "public"."people" AS live SET "nick" = kept."nick"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";