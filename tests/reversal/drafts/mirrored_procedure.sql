-- -- undoes line 1: CREATE PROCEDURE clean() LANGUAGE sql AS 'DELETE FROM people WHERE false'
DROP PROCEDURE "public"."clean"();


-- undoes line 2: DROP PROCEDURE "public"."clean"()
CREATE OR REPLACE PROCEDURE public.clean()
 LANGUAGE sql
AS $procedure$DELETE FROM people WHERE false$procedure$;
