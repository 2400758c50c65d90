-- -- undoes line 1: ALTER TABLE people ALTER COLUMN note SET DATA TYPE char(40)
-- NOTE: "public"."people"."note" goes from character(40) back to text: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE text;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE text
-- NOTE: "public"."people"."note" goes from text back to character(40): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "note" SET DATA TYPE character(40);
