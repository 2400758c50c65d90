-- -- undoes line 1: ALTER TABLE shop.orders SET UNLOGGED
ALTER TABLE "shop"."orders" SET LOGGED;


-- undoes line 2: ALTER TABLE "shop"."orders" SET LOGGED
ALTER TABLE "shop"."orders" SET UNLOGGED;
