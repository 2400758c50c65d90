-- INSERT INTO people (id, email) OVERRIDING SYSTEM VALUE VALUES (900, 'x@example.com'), (901, 'y@example.com');

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: INSERT INTO people (id, email) OVERRIDING SYSTEM VALUE VALUES (900, 'x@example.com'), (901, 'y@exam…
-- NOTE: The rows that line 1 inserted go, edited since or not.
CREATE TABLE "rollback_archive"."rb1_1_line1_people_rows" AS
SELECT "id", "email", "note", "age", "mood"::text AS "mood", "born", "extra"
FROM "public"."people" WHERE ("id") IN ((900), (901));
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_line1_people_rows', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_line1_people_rows";
DELETE FROM "public"."people" WHERE ("id") IN ((900), (901));

-- again: UPDATE "public"."people" AS live SET "email" = kept."email", "note" = kept."note", "age" = kept."age", "mood" = kept."mood"::public.mood, "born" = kept."born", "extra" = kept."extra"
FROM "rollback_archive"."rb1_1_line1_people_rows" AS kept WHERE live."id" = kept."id";