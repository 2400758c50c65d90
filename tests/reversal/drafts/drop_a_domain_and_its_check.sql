-- CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%'); CREATE TABLE letters (id integer PRIMARY KEY, sender mail);

-- the archive is prepared
-- the archive is prepared
ALTER TABLE "public"."letters" DROP CONSTRAINT "letters_pkey";
-- undoes line 1: CREATE TABLE letters (id integer PRIMARY KEY, sender mail)
ALTER TABLE "public"."letters" ALTER COLUMN "sender" SET DATA TYPE text;
ALTER TABLE "public"."letters" SET SCHEMA "rollback_archive";
ALTER TABLE "rollback_archive"."letters" RENAME TO "rb1_1_letters";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_letters', '"public"."letters"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_letters";
DROP DOMAIN "public"."mail";

-- again: INSERT INTO "public"."letters" ("id", "sender")
SELECT kept."id", kept."sender"::public.mail FROM "rollback_archive"."rb1_1_letters" AS kept
ON CONFLICT DO NOTHING;