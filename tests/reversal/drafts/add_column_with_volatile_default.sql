-- ALTER TABLE people ADD COLUMN token uuid DEFAULT gen_random_uuid() NOT NULL;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN token uuid DEFAULT gen_random_uuid() NOT NULL
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "token"
FROM "public"."people" WHERE "token" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "token";

-- again: UPDATE "public"."people" AS live SET "token" = kept."token"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";