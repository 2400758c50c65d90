-- -- undoes line 1: ALTER TABLE people ALTER COLUMN note SET STORAGE EXTERNAL
ALTER TABLE "public"."people" ALTER COLUMN "note" SET STORAGE DEFAULT;


-- undoes line 2: ALTER TABLE "public"."people" ALTER COLUMN "note" SET STORAGE DEFAULT
ALTER TABLE "public"."people" ALTER COLUMN "note" SET STORAGE EXTERNAL;
