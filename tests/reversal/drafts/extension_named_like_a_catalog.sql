-- CREATE EXTENSION pg_trgm; CREATE INDEX people_search ON people USING gin (note gin_trgm_ops);

-- undoes line 1: CREATE INDEX people_search ON people USING gin (note gin_trgm_ops)
DROP INDEX "public"."people_search";
DROP EXTENSION "pg_trgm";
