-- -- undoes line 1: DO $$ BEGIN EXECUTE 'ALTER TABLE people ADD COLUMN done boolean DEFAULT false'; END $$
ALTER TABLE "public"."people" DROP COLUMN "done";


-- RESIDUE: The values of "public"."people"."done" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "done"
ALTER TABLE "public"."people" ADD COLUMN "done" boolean DEFAULT false;
