-- -- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE numeric(14, 6)
-- NOTE: "shop"."orders"."total" goes from numeric(14,6) back to numeric(10,2): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DATA TYPE numeric(10,2);
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DEFAULT 0;


-- undoes line 3: ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT
-- NOTE: "shop"."orders"."total" goes from numeric(10,2) back to numeric(14,6): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DATA TYPE numeric(14,6);
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DEFAULT 0;
