-- -- undoes line 1: DROP FUNCTION shout(text)
CREATE OR REPLACE FUNCTION public.shout(word text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT upper(word)$function$;


-- undoes line 2: CREATE OR REPLACE FUNCTION public.shout(word text) RETURNS text LANGUAGE sql IMMUTABLE AS $function…
DROP FUNCTION "public"."shout"(word text);
