-- DROP FUNCTION shout(text);

-- undoes line 1: DROP FUNCTION shout(text)
CREATE OR REPLACE FUNCTION public.shout(word text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT upper(word)$function$;
