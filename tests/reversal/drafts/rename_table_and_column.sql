-- ALTER TABLE people RENAME TO persons; ALTER TABLE persons RENAME COLUMN note TO remark;

-- undoes line 1: ALTER TABLE persons RENAME COLUMN note TO remark
ALTER TABLE "public"."persons" RENAME COLUMN "remark" TO "note";
ALTER TABLE "public"."persons" RENAME TO "people";
