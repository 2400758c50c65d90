-- CREATE TABLE g (id integer PRIMARY KEY, d integer GENERATED ALWAYS AS (id + 1) STORED); ALTER TABLE g ALTER COLUMN d DROP EXPRESSION;

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."g" DROP CONSTRAINT "g_pkey";
-- undoes line 1: ALTER TABLE g ALTER COLUMN d DROP EXPRESSION
ALTER TABLE "public"."g" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."g" RENAME TO "rb1_1_g";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_g', '"public"."g"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_g";

-- again: INSERT INTO "public"."g" ("id", "d")
SELECT kept."id", kept."d" FROM "rollback_archive"."rb1_1_g" AS kept
ON CONFLICT DO NOTHING;