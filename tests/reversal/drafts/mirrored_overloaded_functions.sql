-- -- undoes line 1: CREATE FUNCTION shout() RETURNS text LANGUAGE sql AS 'SELECT 1::text'
DROP FUNCTION "public"."shout"();
DROP FUNCTION "public"."shout"(word text, times integer);


-- undoes line 2: DROP FUNCTION "public"."shout"()
CREATE OR REPLACE FUNCTION public.shout()
 RETURNS text
 LANGUAGE sql
AS $function$SELECT 1::text$function$;
CREATE OR REPLACE FUNCTION public.shout(word text, times integer)
 RETURNS text
 LANGUAGE sql
AS $function$SELECT repeat(word, times)$function$;
