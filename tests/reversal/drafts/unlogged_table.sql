-- CREATE UNLOGGED TABLE quick (id integer PRIMARY KEY);

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."quick" DROP CONSTRAINT "quick_pkey";
-- undoes line 1: CREATE UNLOGGED TABLE quick (id integer PRIMARY KEY)
ALTER TABLE "public"."quick" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."quick" RENAME TO "rb1_1_quick";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_quick', '"public"."quick"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_quick";

-- again: INSERT INTO "public"."quick" ("id")
SELECT kept."id" FROM "rollback_archive"."rb1_1_quick" AS kept
ON CONFLICT DO NOTHING;