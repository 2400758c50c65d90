-- ALTER TABLE people SET SCHEMA shop;

-- undoes line 1: ALTER TABLE people SET SCHEMA shop
ALTER TABLE "shop"."people" SET SCHEMA "public";
