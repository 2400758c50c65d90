-- MERGE INTO shop.orders o USING people p ON o.person_id = p.id AND false WHEN MATCHED THEN DELETE;

-- FILL IN: Line 1 merged rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- 0001_m1 left nothing in the catalog to undo.
SELECT 1;
