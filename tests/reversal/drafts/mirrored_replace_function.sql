-- -- undoes line 1: CREATE OR REPLACE FUNCTION shout(word text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(wo…
CREATE OR REPLACE FUNCTION public.shout(word text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT upper(word)$function$;


-- undoes line 2: CREATE OR REPLACE FUNCTION public.shout(word text) RETURNS text LANGUAGE sql IMMUTABLE AS $function…
CREATE OR REPLACE FUNCTION public.shout(word text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT upper(word) || '!'$function$;
