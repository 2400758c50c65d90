-- -- undoes line 1: ALTER TABLE people RENAME COLUMN note TO remark
ALTER TABLE "public"."people" RENAME COLUMN "remark" TO "note";


-- undoes line 2: ALTER TABLE "public"."people" RENAME COLUMN "remark" TO "note"
ALTER TABLE "public"."people" RENAME COLUMN "note" TO "remark";
