-- DO $$ BEGIN ALTER TABLE people ALTER COLUMN note SET DATA TYPE jsonb USING to_jsonb(note); END $$;

-- RESIDUE: "public"."people"."note" goes from jsonb back to text: the migration computed its values, and they are not computed back; correct the SQL if they can be.
-- undoes line 1: DO $$ BEGIN ALTER TABLE people ALTER COLUMN note SET DATA TYPE jsonb USING to_jsonb(note); END $$
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE text;
