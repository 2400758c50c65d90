-- ALTER TABLE people ADD COLUMN boss integer; ALTER TABLE people ADD CONSTRAINT people_boss_fk FOREIGN KEY (boss) REFERENCES people (id) ON DELETE SET NULL;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE people ADD CONSTRAINT people_boss_fk FOREIGN KEY (boss) REFERENCES people (id) ON DELET…
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "boss"
FROM "public"."people" WHERE "boss" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
ALTER TABLE "public"."people" DROP CONSTRAINT "people_boss_fk";
ALTER TABLE "public"."people" DROP COLUMN "boss";

-- again: UPDATE "public"."people" AS live SET "boss" = kept."boss"
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";