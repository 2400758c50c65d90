-- -- FILL IN: Line 1 is a DO block; only what it did to the catalog is undone.
-- undoes line 1: DO $$ BEGIN EXECUTE format('ALTER TABLE people ADD COLUMN %I text', 'nick'); END $$
ALTER TABLE "public"."people" DROP COLUMN "nick";


-- RESIDUE: The values of "public"."people"."nick" are gone; take them from a backup, or derive them.
-- undoes line 3: ALTER TABLE "public"."people" DROP COLUMN "nick"
ALTER TABLE "public"."people" ADD COLUMN "nick" text;
