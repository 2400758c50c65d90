-- -- undoes line 1: ALTER TABLE people ALTER COLUMN j SET DATA TYPE jsonb
ALTER TABLE "public"."people" DROP COLUMN "j";


-- RESIDUE: The values of "public"."people"."j" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "j"
ALTER TABLE "public"."people" ADD COLUMN "j" jsonb;
