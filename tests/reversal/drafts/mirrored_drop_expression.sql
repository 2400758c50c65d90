-- -- undoes line 1: ALTER TABLE people ALTER COLUMN l DROP EXPRESSION
ALTER TABLE "public"."people" DROP COLUMN "l";


-- RESIDUE: The values of "public"."people"."l" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "l"
ALTER TABLE "public"."people" ADD COLUMN "l" integer;
