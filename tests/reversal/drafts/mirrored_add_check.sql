-- -- undoes line 1: ALTER TABLE shop.orders ADD CONSTRAINT total_ok CHECK (total >= 0)
ALTER TABLE "shop"."orders" DROP CONSTRAINT "total_ok";


-- undoes line 2: ALTER TABLE "shop"."orders" DROP CONSTRAINT "total_ok"
-- NOTE: Rows written since that break "total_ok" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "total_ok" CHECK ((total >= (0)::numeric));
