-- ALTER TABLE people ADD COLUMN l integer GENERATED ALWAYS AS (length(email)) STORED; ALTER TABLE people ALTER COLUMN l DROP EXPRESSION;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ALTER COLUMN l DROP EXPRESSION
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "l"
FROM "public"."people" WHERE "l" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "l";

-- again: UPDATE "public"."people" AS live SET "l" = kept."l"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";