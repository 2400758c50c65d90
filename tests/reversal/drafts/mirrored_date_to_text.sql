-- -- undoes line 1: ALTER TABLE people ALTER COLUMN born SET DATA TYPE text
-- NOTE: "public"."people"."born" goes from text back to date: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE date USING "born"::text::date;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE date USING "born"::text::date
-- NOTE: "public"."people"."born" goes from date back to text: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE text;
