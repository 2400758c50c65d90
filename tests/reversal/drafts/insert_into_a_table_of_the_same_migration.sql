-- CREATE TABLE gifts (id integer PRIMARY KEY); INSERT INTO gifts SELECT 1;

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."gifts" DROP CONSTRAINT "gifts_pkey";
-- undoes line 1: INSERT INTO gifts SELECT 1
ALTER TABLE "public"."gifts" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."gifts" RENAME TO "rb1_1_gifts";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_gifts', '"public"."gifts"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_gifts";

-- again: INSERT INTO "public"."gifts" ("id")
SELECT kept."id" FROM "rollback_archive"."rb1_1_gifts" AS kept
ON CONFLICT DO NOTHING;