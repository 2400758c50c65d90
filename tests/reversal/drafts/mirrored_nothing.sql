-- -- 0001_m1 left nothing in the catalog to undo.
SELECT 1;


-- 0002_m2 left nothing in the catalog to undo.
SELECT 1;
