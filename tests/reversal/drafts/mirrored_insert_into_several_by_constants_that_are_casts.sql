-- -- undoes line 1: INSERT INTO shop.orders (id, person_id) VALUES (9001, 950)
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "shop"."orders" WHERE ("id") IN ((9001));
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "public"."people" WHERE ("id") IN ((950), (951));


-- FILL IN: Line 3 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- FILL IN: Line 5 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
