-- -- undoes line 1: ALTER TABLE solo SET UNLOGGED
DROP TABLE "public"."solo";


-- RESIDUE: The rows of "public"."solo" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."solo"
CREATE UNLOGGED TABLE "public"."solo" (
	"id" integer
);
