-- CREATE PROCEDURE clean() LANGUAGE sql AS 'DELETE FROM people WHERE false'; CALL clean();

-- FILL IN: Line 1 calls code; only what it did to the catalog is undone.
-- undoes line 1: CALL clean()
DROP PROCEDURE "public"."clean"();
