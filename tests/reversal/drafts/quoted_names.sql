-- CREATE TABLE "Odd Name" ("Select" integer PRIMARY KEY, "it""s" text DEFAULT 'a\b'); ALTER TABLE people ADD COLUMN "Camel" integer; CREATE INDEX "Odd Index" ON people ("Camel");

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE INDEX "Odd Index" ON people ("Camel")
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "Camel"
FROM "public"."people" WHERE "Camel" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."Odd Name" DROP CONSTRAINT "Odd Name_pkey";
-- undoes line 1: CREATE INDEX "Odd Index" ON people ("Camel")
DROP INDEX "public"."Odd Index";
ALTER TABLE "public"."people" DROP COLUMN "Camel";
ALTER TABLE "public"."Odd Name" ALTER COLUMN "it""s" DROP DEFAULT;
ALTER TABLE "public"."Odd Name" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."Odd Name" RENAME TO "rb1_1_Odd Name";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_Odd Name', '"public"."Odd Name"', ARRAY['Select']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_Odd Name";

-- again: UPDATE "public"."people" AS live SET "Camel" = kept."Camel"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";
-- again: INSERT INTO "public"."Odd Name" ("Select", "it""s")
SELECT kept."Select", kept."it""s" FROM "rollback_archive"."rb1_1_Odd Name" AS kept
ON CONFLICT DO NOTHING;