-- ALTER TABLE people ADD COLUMN phone varchar(32);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN phone varchar(32)
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "phone"
FROM "public"."people" WHERE "phone" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "phone";

-- again: UPDATE "public"."people" AS live SET "phone" = kept."phone"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";