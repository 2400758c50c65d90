-- ALTER TYPE mood SET SCHEMA shop;

-- undoes line 1: ALTER TYPE mood SET SCHEMA shop
ALTER TYPE "shop"."mood" SET SCHEMA "public";
