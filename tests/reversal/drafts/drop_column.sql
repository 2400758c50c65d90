-- ALTER TABLE people DROP COLUMN note;

-- RESIDUE: The values of "public"."people"."note" are gone; take them from a backup, or derive them.
-- undoes line 1: ALTER TABLE people DROP COLUMN note
ALTER TABLE "public"."people" ADD COLUMN "note" text;
