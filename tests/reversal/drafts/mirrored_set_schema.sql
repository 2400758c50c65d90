-- -- undoes line 1: ALTER TABLE people SET SCHEMA shop
ALTER TABLE "shop"."people" SET SCHEMA "public";


-- undoes line 2: ALTER TABLE "shop"."people" SET SCHEMA "public"
ALTER TABLE "public"."people" SET SCHEMA "shop";
