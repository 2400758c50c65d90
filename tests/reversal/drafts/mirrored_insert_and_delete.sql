-- -- FILL IN: Line 1 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: DELETE FROM people WHERE id = 1
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "public"."people" WHERE ("email") IN (('new@example.com'));


-- FILL IN: Line 4 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
