-- CREATE TABLE a (id integer PRIMARY KEY, b_id integer); CREATE TABLE b (id integer PRIMARY KEY, a_id integer REFERENCES a (id)); ALTER TABLE a ADD CONSTRAINT a_b_fk FOREIGN KEY (b_id) REFERENCES b (id);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE a ADD CONSTRAINT a_b_fk FOREIGN KEY (b_id) REFERENCES b (id)
ALTER TABLE "public"."a" DROP CONSTRAINT "a_b_fk";
ALTER TABLE "public"."b" DROP CONSTRAINT "b_a_id_fkey";
ALTER TABLE "public"."a" DROP CONSTRAINT "a_pkey";
ALTER TABLE "public"."b" DROP CONSTRAINT "b_pkey";
-- undoes line 1: ALTER TABLE a ADD CONSTRAINT a_b_fk FOREIGN KEY (b_id) REFERENCES b (id)
ALTER TABLE "public"."a" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."a" RENAME TO "rb1_1_a";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_a', '"public"."a"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_a";
ALTER TABLE "public"."b" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."b" RENAME TO "rb1_1_b";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_b', '"public"."b"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_b";

-- again: INSERT INTO "public"."a" ("id", "b_id")
SELECT kept."id", kept."b_id" FROM "rollback_archive"."rb1_1_a" AS kept
ON CONFLICT DO NOTHING;
-- again: INSERT INTO "public"."b" ("id", "a_id")
SELECT kept."id", kept."a_id" FROM "rollback_archive"."rb1_1_b" AS kept
ON CONFLICT DO NOTHING;