-- INSERT INTO people (id, email) OVERRIDING SYSTEM VALUE VALUES (950, 'c@example.com'::varchar), (951, 'd@example.com'); INSERT INTO shop.orders (id, person_id) VALUES (9001, 950);

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: INSERT INTO shop.orders (id, person_id) VALUES (9001, 950)
-- NOTE: The rows that line 1 inserted go, edited since or not.
CREATE TABLE "rollback_archive"."rb1_1_line1_orders_rows" AS
SELECT "id", "person_id", "total", "placed_at"
FROM "shop"."orders" WHERE ("id") IN ((9001));
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_line1_orders_rows', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_line1_orders_rows";
DELETE FROM "shop"."orders" WHERE ("id") IN ((9001));
-- NOTE: The rows that line 1 inserted go, edited since or not.
CREATE TABLE "rollback_archive"."rb1_1_line1_people_rows" AS
SELECT "id", "email", "note", "age", "mood"::text AS "mood", "born", "extra"
FROM "public"."people" WHERE ("id") IN ((950), (951));
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_line1_people_rows', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_line1_people_rows";
DELETE FROM "public"."people" WHERE ("id") IN ((950), (951));

-- again: UPDATE "shop"."orders" AS live SET "person_id" = kept."person_id", "total" = kept."total", "placed_at" = kept."placed_at"
FROM "rollback_archive"."rb1_1_line1_orders_rows" AS kept WHERE live."id" = kept."id";
-- again: UPDATE "public"."people" AS live SET "email" = kept."email", "note" = kept."note", "age" = kept."age", "mood" = kept."mood"::public.mood, "born" = kept."born", "extra" = kept."extra"
FROM "rollback_archive"."rb1_1_line1_people_rows" AS kept WHERE live."id" = kept."id";