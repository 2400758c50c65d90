-- -- undoes line 1: ALTER TABLE people ALTER COLUMN born SET DATA TYPE timestamp
-- NOTE: "public"."people"."born" goes from timestamp without time zone back to date: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE date;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE date
-- NOTE: "public"."people"."born" goes from date back to timestamp without time zone: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "born" SET DATA TYPE timestamp without time zone;
