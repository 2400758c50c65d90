-- -- undoes line 1: ALTER TABLE persons RENAME COLUMN note TO remark
ALTER TABLE "public"."persons" RENAME COLUMN "remark" TO "note";
ALTER TABLE "public"."persons" RENAME TO "people";


-- undoes line 3: ALTER TABLE "public"."persons" RENAME TO "people"
ALTER TABLE "public"."people" RENAME TO "persons";
-- undoes line 2: ALTER TABLE "public"."persons" RENAME COLUMN "remark" TO "note"
ALTER TABLE "public"."persons" RENAME COLUMN "note" TO "remark";
