-- ALTER TABLE people ALTER COLUMN note SET DATA TYPE char(40);

-- undoes line 1: ALTER TABLE people ALTER COLUMN note SET DATA TYPE char(40)
-- NOTE: "public"."people"."note" goes from character(40) back to text: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE text;
