-- -- undoes line 1: ALTER TABLE people ALTER COLUMN age SET (n_distinct = 5)
ALTER TABLE "public"."people" ALTER COLUMN "age" RESET (n_distinct);
ALTER TABLE "public"."people" ALTER COLUMN "note" SET COMPRESSION DEFAULT;


-- undoes line 2: ALTER TABLE "public"."people" ALTER COLUMN "age" RESET (n_distinct)
ALTER TABLE "public"."people" ALTER COLUMN "age" SET (n_distinct = 5);
-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "note" SET COMPRESSION DEFAULT
ALTER TABLE "public"."people" ALTER COLUMN "note" SET COMPRESSION pglz;
