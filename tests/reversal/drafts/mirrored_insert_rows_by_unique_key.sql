-- -- undoes line 1: INSERT INTO people (email, age) VALUES ('key''s@example.com', 40)
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "public"."people" WHERE ("email") IN (('key''s@example.com'));


-- FILL IN: Line 3 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
