-- -- undoes line 1: CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'
DROP FUNCTION "public"."twice"(n integer);


-- undoes line 2: DROP FUNCTION "public"."twice"(n integer)
CREATE OR REPLACE FUNCTION public.twice(n integer)
 RETURNS integer
 LANGUAGE sql
AS $function$SELECT n * 2$function$;
