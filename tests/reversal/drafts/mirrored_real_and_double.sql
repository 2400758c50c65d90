-- -- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE double precision
-- NOTE: "shop"."orders"."total" goes from double precision back to numeric(10,2): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DATA TYPE numeric(10,2);
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DEFAULT 0;


-- the archive is prepared
-- the archive is prepared
-- undoes line 3: ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT
CREATE TABLE "rollback_archive"."rb1_1_orders_total_rounded" AS
SELECT "id", "total"
FROM "shop"."orders" WHERE ("total"::double precision)::numeric(10,2) IS DISTINCT FROM "total";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders_total_rounded', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders_total_rounded";
-- NOTE: "shop"."orders"."total" goes from numeric(10,2) back to double precision: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DATA TYPE double precision;
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DEFAULT 0;

-- again: UPDATE "shop"."orders" AS live SET "total" = kept."total"
FROM "rollback_archive"."rb1_1_orders_total_rounded" AS kept WHERE live."id" = kept."id";