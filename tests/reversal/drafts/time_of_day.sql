-- ALTER TABLE shop.orders ALTER COLUMN placed_at SET DATA TYPE timestamptz(0);

-- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN placed_at SET DATA TYPE timestamptz(0)
-- NOTE: "shop"."orders"."placed_at" goes from timestamp(0) with time zone back to timestamp with time zone: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" SET DATA TYPE timestamp with time zone;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" SET DEFAULT now();
