-- CREATE STATISTICS people_stat (dependencies) ON age, born FROM people; ALTER STATISTICS people_stat SET STATISTICS 50;

-- undoes line 1: ALTER STATISTICS people_stat SET STATISTICS 50
DROP STATISTICS "public"."people_stat";
