-- -- undoes line 1: ALTER TABLE people ADD COLUMN x text
ALTER TABLE "public"."people" DROP COLUMN "x";
DROP TABLE "public"."loose";


-- RESIDUE: The rows of "public"."loose" are gone; load them from a backup taken before the migration.
-- RESIDUE: The values of "public"."people"."x" are gone; take them from a backup, or derive them.
-- undoes line 3: DROP TABLE "public"."loose"
CREATE TABLE "public"."loose" (
	"a" integer,
	"b" text
);
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "x"
ALTER TABLE "public"."people" ADD COLUMN "x" text;
