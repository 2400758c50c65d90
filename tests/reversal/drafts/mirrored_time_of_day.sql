-- -- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN placed_at SET DATA TYPE timestamptz(0)
-- NOTE: "shop"."orders"."placed_at" goes from timestamp(0) with time zone back to timestamp with time zone: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" SET DATA TYPE timestamp with time zone;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" SET DEFAULT now();


-- the archive is prepared
-- the archive is prepared
-- undoes line 3: ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" DROP DEFAULT
CREATE TABLE "rollback_archive"."rb1_1_orders_placed_at_rounded" AS
SELECT "id", "placed_at"
FROM "shop"."orders" WHERE ("placed_at"::timestamp(0) with time zone)::timestamp with time zone IS DISTINCT FROM "placed_at";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders_placed_at_rounded', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders_placed_at_rounded";
-- NOTE: "shop"."orders"."placed_at" goes from timestamp with time zone back to timestamp(0) with time zone: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" SET DATA TYPE timestamp(0) with time zone;
ALTER TABLE "shop"."orders" ALTER COLUMN "placed_at" SET DEFAULT now();

-- again: UPDATE "shop"."orders" AS live SET "placed_at" = kept."placed_at"
FROM "rollback_archive"."rb1_1_orders_placed_at_rounded" AS kept WHERE live."id" = kept."id";