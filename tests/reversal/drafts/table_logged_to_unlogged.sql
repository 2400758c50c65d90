-- CREATE TABLE solo (id integer); ALTER TABLE solo SET UNLOGGED;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE solo SET UNLOGGED
ALTER TABLE "public"."solo" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."solo" RENAME TO "rb1_1_solo";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_solo', '"public"."solo"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_solo";

-- again: INSERT INTO "public"."solo" ("id")
SELECT kept."id" FROM "rollback_archive"."rb1_1_solo" AS kept
ON CONFLICT DO NOTHING;