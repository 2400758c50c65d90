-- SELECT count(*) FROM people;

-- 0001_m1 left nothing in the catalog to undo.
SELECT 1;
