-- CREATE STATISTICS people_stats (dependencies) ON age, born FROM people; ALTER TABLE people ALTER COLUMN age SET STATISTICS 500;

-- undoes line 1: ALTER TABLE people ALTER COLUMN age SET STATISTICS 500
DROP STATISTICS "public"."people_stats";
ALTER TABLE "public"."people" ALTER COLUMN "age" SET STATISTICS -1;
