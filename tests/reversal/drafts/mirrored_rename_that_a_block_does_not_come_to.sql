-- -- undoes line 1: ALTER TABLE people ADD COLUMN nick text
ALTER TABLE "public"."people" DROP COLUMN "nick";


-- RESIDUE: The values of "public"."people"."nick" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "nick"
ALTER TABLE "public"."people" ADD COLUMN "nick" text;
