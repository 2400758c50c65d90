-- ALTER TABLE shop.orders ADD CONSTRAINT total_ok CHECK (total >= 0);

-- undoes line 1: ALTER TABLE shop.orders ADD CONSTRAINT total_ok CHECK (total >= 0)
ALTER TABLE "shop"."orders" DROP CONSTRAINT "total_ok";
