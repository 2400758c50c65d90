-- -- FILL IN: Line 1 calls code; only what it did to the catalog is undone.
-- undoes line 1: CALL clean()
DROP PROCEDURE "public"."clean"();


-- undoes line 3: DROP PROCEDURE "public"."clean"()
CREATE OR REPLACE PROCEDURE public.clean()
 LANGUAGE sql
AS $procedure$DELETE FROM people WHERE false$procedure$;
