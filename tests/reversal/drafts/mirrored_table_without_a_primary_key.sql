-- -- undoes line 1: CREATE TABLE log (line text)
DROP TABLE "public"."log";


-- RESIDUE: The rows of "public"."log" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."log"
CREATE TABLE "public"."log" (
	"line" text
);
