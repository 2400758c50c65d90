-- ALTER TABLE shop.orders SET UNLOGGED;

-- undoes line 1: ALTER TABLE shop.orders SET UNLOGGED
ALTER TABLE "shop"."orders" SET LOGGED;
