-- ALTER TABLE people RENAME COLUMN note TO remark;

-- undoes line 1: ALTER TABLE people RENAME COLUMN note TO remark
ALTER TABLE "public"."people" RENAME COLUMN "remark" TO "note";
