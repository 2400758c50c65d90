-- INSERT INTO people (email, age) VALUES ('key''s@example.com', 40);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: INSERT INTO people (email, age) VALUES ('key''s@example.com', 40)
-- NOTE: The rows that line 1 inserted go, edited since or not.
CREATE TABLE "rollback_archive"."rb1_1_line1_people_rows" AS
SELECT "id", "email", "note", "age", "mood"::text AS "mood", "born", "extra"
FROM "public"."people" WHERE ("email") IN (('key''s@example.com'));
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_line1_people_rows', '"public"."people"', ARRAY['email']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_line1_people_rows";
DELETE FROM "public"."people" WHERE ("email") IN (('key''s@example.com'));

-- again: UPDATE "public"."people" AS live SET "note" = kept."note", "age" = kept."age", "mood" = kept."mood"::public.mood, "born" = kept."born", "extra" = kept."extra"
FROM "rollback_archive"."rb1_1_line1_people_rows" AS kept WHERE live."email" = kept."email";