-- ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE double precision;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN total SET DATA TYPE double precision
CREATE TABLE "rollback_archive"."rb1_1_orders_total_rounded" AS
SELECT "id", "total"
FROM "shop"."orders" WHERE ("total"::numeric(10,2))::double precision IS DISTINCT FROM "total";
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders_total_rounded', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders_total_rounded";
-- NOTE: "shop"."orders"."total" goes from double precision back to numeric(10,2): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "total" DROP DEFAULT;
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DATA TYPE numeric(10,2);
ALTER TABLE "shop"."orders" ALTER COLUMN "total" SET DEFAULT 0;

-- again: UPDATE "shop"."orders" AS live SET "total" = kept."total"
FROM "rollback_archive"."rb1_1_orders_total_rounded" AS kept WHERE live."id" = kept."id";