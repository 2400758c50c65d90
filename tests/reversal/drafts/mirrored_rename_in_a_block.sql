-- -- undoes line 1: DO $$ BEGIN IF EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 'people' AND col…
ALTER TABLE "public"."people" RENAME COLUMN "remark" TO "note";


-- undoes line 2: ALTER TABLE "public"."people" RENAME COLUMN "remark" TO "note"
ALTER TABLE "public"."people" RENAME COLUMN "note" TO "remark";
