-- ALTER TABLE people ADD COLUMN locale varchar(8) DEFAULT 'fr' NOT NULL;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD COLUMN locale varchar(8) DEFAULT 'fr' NOT NULL
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "locale"
FROM "public"."people" WHERE "locale" IS DISTINCT FROM 'fr'::character varying;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP COLUMN "locale";

-- again: UPDATE "public"."people" AS live SET "locale" = kept."locale"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";