-- ALTER TABLE people ALTER COLUMN born SET DATA TYPE timestamp;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ALTER COLUMN born SET DATA TYPE timestamp
CREATE TABLE "rollback_archive"."rb1_1_people_born_rounded" AS
SELECT "id", "born"
FROM "public"."people" WHERE ("born"::date)::timestamp without time zone IS DISTINCT FROM "born";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_born_rounded', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_born_rounded";
-- NOTE: "public"."people"."born" goes from timestamp without time zone back to date: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE date;

-- again: UPDATE "public"."people" AS live SET "born" = kept."born"
FROM "rollback_archive"."rb1_1_people_born_rounded" AS kept WHERE live."id" = kept."id";