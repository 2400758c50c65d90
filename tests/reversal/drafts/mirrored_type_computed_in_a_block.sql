-- -- RESIDUE: "public"."people"."note" goes from jsonb back to text: the migration computed its values, and they are not computed back; correct the SQL if they can be.
-- undoes line 1: DO $$ BEGIN ALTER TABLE people ALTER COLUMN note SET DATA TYPE jsonb USING to_jsonb(note); END $$
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE text;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE text
-- NOTE: "public"."people"."note" goes from text back to jsonb: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE jsonb USING "note"::text::jsonb;
