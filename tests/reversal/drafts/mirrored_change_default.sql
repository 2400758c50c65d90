-- -- undoes line 1: ALTER TABLE people ALTER COLUMN age SET DEFAULT 21
ALTER TABLE "public"."people" ALTER COLUMN "age" SET DEFAULT 18;


-- undoes line 2: ALTER TABLE "public"."people" ALTER COLUMN "age" SET DEFAULT 18
ALTER TABLE "public"."people" ALTER COLUMN "age" SET DEFAULT 21;
