-- SELECT 1;

-- 0001_m1 left nothing in the catalog to undo.
SELECT 1;
