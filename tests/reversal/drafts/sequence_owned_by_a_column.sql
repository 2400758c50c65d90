-- CREATE SEQUENCE shop.order_no; ALTER TABLE shop.orders ADD COLUMN number integer DEFAULT nextval('shop.order_no'); ALTER SEQUENCE shop.order_no OWNED BY shop.orders.number;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER SEQUENCE shop.order_no OWNED BY shop.orders.number
CREATE TABLE "rollback_archive"."rb1_1_orders_columns" AS
SELECT "id", "number"
FROM "shop"."orders" WHERE "number" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders_columns', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders_columns";
ALTER TABLE "shop"."orders" DROP COLUMN "number";

-- again: UPDATE "shop"."orders" AS live SET "number" = kept."number"
FROM "rollback_archive"."rb1_1_orders_columns" AS kept WHERE live."id" = kept."id";