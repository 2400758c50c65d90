-- CREATE TABLE gifts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, person_id integer REFERENCES people (id));

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."gifts" DROP CONSTRAINT "gifts_person_id_fkey";
ALTER TABLE "public"."gifts" DROP CONSTRAINT "gifts_pkey";
-- undoes line 1: CREATE TABLE gifts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, person_id in…
ALTER TABLE "public"."gifts" ALTER COLUMN "id" DROP DEFAULT;
ALTER TABLE "public"."gifts" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."gifts" RENAME TO "rb1_1_gifts";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_gifts', '"public"."gifts"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_gifts";

-- again: INSERT INTO "public"."gifts" ("id", "name", "person_id")
SELECT kept."id", kept."name", kept."person_id" FROM "rollback_archive"."rb1_1_gifts" AS kept
ON CONFLICT DO NOTHING;