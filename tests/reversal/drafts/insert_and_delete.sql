-- INSERT INTO people (email) VALUES ('new@example.com'); DELETE FROM people WHERE id = 1;

-- FILL IN: Line 1 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- the archive is prepared
-- the archive is prepared
-- undoes line 1: DELETE FROM people WHERE id = 1
-- NOTE: The rows that line 1 inserted go, edited since or not.
CREATE TABLE "rollback_archive"."rb1_1_line1_people_rows" AS
SELECT "id", "email", "note", "age", "mood"::text AS "mood", "born", "extra"
FROM "public"."people" WHERE ("email") IN (('new@example.com'));
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_line1_people_rows', '"public"."people"', ARRAY['email']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_line1_people_rows";
DELETE FROM "public"."people" WHERE ("email") IN (('new@example.com'));

-- again: UPDATE "public"."people" AS live SET "note" = kept."note", "age" = kept."age", "mood" = kept."mood"::public.mood, "born" = kept."born", "extra" = kept."extra"
FROM "rollback_archive"."rb1_1_line1_people_rows" AS kept WHERE live."email" = kept."email";