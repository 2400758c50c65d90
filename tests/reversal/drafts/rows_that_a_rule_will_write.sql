-- CREATE TABLE seen (id integer); CREATE RULE seen AS ON UPDATE TO shop.orders DO ALSO INSERT INTO seen VALUES (new.id);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE RULE seen AS ON UPDATE TO shop.orders DO ALSO INSERT INTO seen VALUES (new.id)
DROP RULE "seen" ON "shop"."orders";
ALTER TABLE "public"."seen" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."seen" RENAME TO "rb1_1_seen";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_seen', '"public"."seen"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_seen";

-- again: INSERT INTO "public"."seen" ("id")
SELECT kept."id" FROM "rollback_archive"."rb1_1_seen" AS kept
ON CONFLICT DO NOTHING;