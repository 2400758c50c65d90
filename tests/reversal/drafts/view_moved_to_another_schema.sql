-- ALTER VIEW adults SET SCHEMA shop;

-- undoes line 1: ALTER VIEW adults SET SCHEMA shop
ALTER VIEW "shop"."adults" SET SCHEMA "public";
