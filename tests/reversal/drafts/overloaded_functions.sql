-- CREATE FUNCTION shout(word text, times integer) RETURNS text LANGUAGE sql AS 'SELECT repeat(word, times)'; CREATE FUNCTION shout() RETURNS text LANGUAGE sql AS 'SELECT 1::text';

-- undoes line 1: CREATE FUNCTION shout() RETURNS text LANGUAGE sql AS 'SELECT 1::text'
DROP FUNCTION "public"."shout"();
DROP FUNCTION "public"."shout"(word text, times integer);
