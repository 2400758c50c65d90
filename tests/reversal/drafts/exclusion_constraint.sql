-- CREATE TABLE stays (room int4range, EXCLUDE USING gist (room WITH &&));

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."stays" DROP CONSTRAINT "stays_room_excl";
-- undoes line 1: CREATE TABLE stays (room int4range, EXCLUDE USING gist (room WITH &&))
ALTER TABLE "public"."stays" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."stays" RENAME TO "rb1_1_stays";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_stays', '"public"."stays"', ARRAY[]::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_stays";

-- again: INSERT INTO "public"."stays" ("room")
SELECT kept."room" FROM "rollback_archive"."rb1_1_stays" AS kept
ON CONFLICT DO NOTHING;