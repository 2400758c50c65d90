-- CREATE TABLE gifts (id serial PRIMARY KEY, name varchar(10) DEFAULT 'none');

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."gifts" DROP CONSTRAINT "gifts_pkey";
-- undoes line 1: CREATE TABLE gifts (id serial PRIMARY KEY, name varchar(10) DEFAULT 'none')
ALTER TABLE "public"."gifts" ALTER COLUMN "id" DROP DEFAULT;
DROP SEQUENCE "public"."gifts_id_seq";
ALTER TABLE "public"."gifts" ALTER COLUMN "name" DROP DEFAULT;
ALTER TABLE "public"."gifts" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."gifts" RENAME TO "rb1_1_gifts";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_gifts', '"public"."gifts"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_gifts";

-- again: INSERT INTO "public"."gifts" ("id", "name")
SELECT kept."id", kept."name" FROM "rollback_archive"."rb1_1_gifts" AS kept
ON CONFLICT DO NOTHING;