-- ALTER TABLE people ADD COLUMN j json; ALTER TABLE people ALTER COLUMN j SET DATA TYPE jsonb;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ALTER COLUMN j SET DATA TYPE jsonb
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "j"
FROM "public"."people" WHERE "j" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "j";

-- again: UPDATE "public"."people" AS live SET "j" = kept."j"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";