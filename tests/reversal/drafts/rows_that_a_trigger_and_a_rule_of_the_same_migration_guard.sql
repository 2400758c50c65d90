-- INSERT INTO people (id, email) OVERRIDING SYSTEM VALUE VALUES (950, 'c@example.com'); INSERT INTO shop.orders (id, person_id) VALUES (9001, 950); CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; CREATE TRIGGER orders_keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION deny(); CREATE RULE people_keep AS ON DELETE TO people DO INSTEAD NOTHING;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: CREATE RULE people_keep AS ON DELETE TO people DO INSTEAD NOTHING
DROP TRIGGER "orders_keep" ON "shop"."orders";
DROP RULE "people_keep" ON "public"."people";
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
FROM "public"."people" WHERE ("id") IN ((950));
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_line1_people_rows', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_line1_people_rows";
DELETE FROM "public"."people" WHERE ("id") IN ((950));
DROP FUNCTION "public"."deny"();

-- again: UPDATE "shop"."orders" AS live SET "person_id" = kept."person_id", "total" = kept."total", "placed_at" = kept."placed_at"
FROM "rollback_archive"."rb1_1_line1_orders_rows" AS kept WHERE live."id" = kept."id";
-- again: UPDATE "public"."people" AS live SET "email" = kept."email", "note" = kept."note", "age" = kept."age", "mood" = kept."mood"::public.mood, "born" = kept."born", "extra" = kept."extra"
FROM "rollback_archive"."rb1_1_line1_people_rows" AS kept WHERE live."id" = kept."id";