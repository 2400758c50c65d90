-- -- undoes line 1: ALTER VIEW adults SET SCHEMA shop
ALTER VIEW "shop"."adults" SET SCHEMA "public";


-- undoes line 2: ALTER VIEW "shop"."adults" SET SCHEMA "public"
ALTER VIEW "public"."adults" SET SCHEMA "shop";
