-- -- FILL IN: Line 1 is a DO block; only what it did to the catalog is undone.
-- undoes line 1: DO $$ BEGIN EXECUTE 'ALTER TABLE people ADD COLUMN done boolean DEFAULT false'; END $$
ALTER TABLE "public"."people" DROP COLUMN "done";


-- RESIDUE: The values of "public"."people"."done" are gone; take them from a backup, or derive them.
-- undoes line 3: ALTER TABLE "public"."people" DROP COLUMN "done"
ALTER TABLE "public"."people" ADD COLUMN "done" boolean DEFAULT false;
