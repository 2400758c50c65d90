-- CREATE TABLE parent (id integer); CREATE TABLE child (extra text) INHERITS (parent);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE TABLE child (extra text) INHERITS (parent)
ALTER TABLE "public"."child" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."child" RENAME TO "rb1_1_child";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_child', '"public"."child"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_child";
ALTER TABLE "public"."parent" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."parent" RENAME TO "rb1_1_parent";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_parent', '"public"."parent"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_parent";

-- again: INSERT INTO "public"."child" ("id", "extra")
SELECT kept."id", kept."extra" FROM "rollback_archive"."rb1_1_child" AS kept
ON CONFLICT DO NOTHING;
-- again: INSERT INTO "public"."parent" ("id")
SELECT kept."id" FROM "rollback_archive"."rb1_1_parent" AS kept
ON CONFLICT DO NOTHING;