-- -- undoes line 1: ALTER TYPE mood SET SCHEMA shop
ALTER TYPE "shop"."mood" SET SCHEMA "public";


-- undoes line 2: ALTER TYPE "shop"."mood" SET SCHEMA "public"
ALTER TYPE "public"."mood" SET SCHEMA "shop";
