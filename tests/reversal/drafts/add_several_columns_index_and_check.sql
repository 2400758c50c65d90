-- ALTER TABLE people ADD COLUMN x integer; ALTER TABLE people ADD COLUMN y integer; CREATE INDEX people_xy ON people (x, y) WHERE x IS NOT NULL; ALTER TABLE people ADD CONSTRAINT xy CHECK (x IS NULL OR x < y);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD CONSTRAINT xy CHECK (x IS NULL OR x < y)
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "x", "y"
FROM "public"."people" WHERE "x" IS NOT NULL OR "y" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP CONSTRAINT "xy";
DROP INDEX "public"."people_xy";
ALTER TABLE "public"."people" DROP COLUMN "x";
ALTER TABLE "public"."people" DROP COLUMN "y";

-- again: UPDATE "public"."people" AS live SET "x" = kept."x", "y" = kept."y"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";