-- -- undoes line 1: ALTER TABLE people ALTER COLUMN note SET STATISTICS 77
ALTER TABLE "public"."people" ALTER COLUMN "extra" SET STORAGE DEFAULT;
ALTER TABLE "public"."people" ALTER COLUMN "note" SET STORAGE DEFAULT;
ALTER TABLE "public"."people" ALTER COLUMN "note" SET STATISTICS -1;


-- undoes line 2: ALTER TABLE "public"."people" ALTER COLUMN "extra" SET STORAGE DEFAULT
ALTER TABLE "public"."people" ALTER COLUMN "extra" SET STORAGE MAIN;
-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "note" SET STORAGE DEFAULT
ALTER TABLE "public"."people" ALTER COLUMN "note" SET STORAGE EXTERNAL;
ALTER TABLE "public"."people" ALTER COLUMN "note" SET STATISTICS 77;
