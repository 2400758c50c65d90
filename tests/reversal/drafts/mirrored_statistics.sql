-- -- undoes line 1: ALTER TABLE people ALTER COLUMN age SET STATISTICS 500
DROP STATISTICS "public"."people_stats";
ALTER TABLE "public"."people" ALTER COLUMN "age" SET STATISTICS -1;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "age" SET STATISTICS -1
ALTER TABLE "public"."people" ALTER COLUMN "age" SET STATISTICS 500;
-- undoes line 2: DROP STATISTICS "public"."people_stats"
CREATE STATISTICS public.people_stats (dependencies) ON age, born FROM public.people;
