-- -- undoes line 1: INSERT INTO people (id, email) OVERRIDING SYSTEM VALUE VALUES (900, 'x@example.com'), (901, 'y@exam…
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "public"."people" WHERE ("id") IN ((900), (901));


-- FILL IN: Line 3 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
