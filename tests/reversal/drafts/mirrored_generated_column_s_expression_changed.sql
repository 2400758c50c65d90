-- -- undoes line 1: ALTER TABLE people ALTER COLUMN a SET EXPRESSION AS (age + 2)
ALTER TABLE "public"."people" DROP COLUMN "a";


-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "a"
ALTER TABLE "public"."people" ADD COLUMN "a" integer GENERATED ALWAYS AS ((age + 2)) STORED;
