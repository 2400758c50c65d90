-- WITH gone AS (DELETE FROM shop.orders WHERE total < 0 RETURNING id) SELECT count(*) FROM gone;

-- FILL IN: Line 1 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0001_m1 left nothing in the catalog to undo.
SELECT 1;
