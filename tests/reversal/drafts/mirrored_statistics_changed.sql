-- -- undoes line 1: ALTER STATISTICS people_stat SET STATISTICS 50
DROP STATISTICS "public"."people_stat";


-- undoes line 2: DROP STATISTICS "public"."people_stat"
CREATE STATISTICS public.people_stat (dependencies) ON age, born FROM public.people;
ALTER STATISTICS "public"."people_stat" SET STATISTICS 50;
