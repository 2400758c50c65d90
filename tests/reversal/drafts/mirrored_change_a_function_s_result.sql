-- -- undoes line 1: CREATE FUNCTION shout(word text) RETURNS varchar LANGUAGE sql AS 'SELECT word::varchar'
DROP FUNCTION "public"."shout"(word text);
CREATE OR REPLACE FUNCTION public.shout(word text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT upper(word)$function$;


-- undoes line 2: DROP FUNCTION "public"."shout"(word text)
DROP FUNCTION "public"."shout"(word text);
CREATE OR REPLACE FUNCTION public.shout(word text)
 RETURNS character varying
 LANGUAGE sql
AS $function$SELECT word::varchar$function$;
