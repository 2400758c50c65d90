-- -- undoes line 1: CREATE INDEX people_search ON people USING gin (note gin_trgm_ops)
DROP INDEX "public"."people_search";
DROP EXTENSION "pg_trgm";


-- undoes line 3: DROP EXTENSION "pg_trgm"
CREATE EXTENSION "pg_trgm" WITH SCHEMA "public";
COMMENT ON EXTENSION "pg_trgm" IS 'text similarity measurement and index searching based on trigrams';
CREATE INDEX people_search ON public.people USING gin (note public.gin_trgm_ops);
