-- -- FILL IN: Line 1 calls code; only what it did to the catalog is undone.
-- 0001_m1 left nothing in the catalog to undo.
SELECT 1;


-- FILL IN: Line 3 calls code; only what it did to the catalog is undone.
-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
