-- -- FILL IN: Line 1 inserted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0001_m1 left nothing in the catalog to undo.
SELECT 1;


-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
