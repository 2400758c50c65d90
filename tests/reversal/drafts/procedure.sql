-- CREATE PROCEDURE clean() LANGUAGE sql AS 'DELETE FROM people WHERE false';

-- undoes line 1: CREATE PROCEDURE clean() LANGUAGE sql AS 'DELETE FROM people WHERE false'
DROP PROCEDURE "public"."clean"();
