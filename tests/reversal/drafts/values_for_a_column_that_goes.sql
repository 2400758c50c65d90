-- ALTER TABLE shop.orders ADD COLUMN code text; UPDATE shop.orders o SET code = 'o' || o.id FROM people p WHERE p.id = o.person_id; ALTER TABLE shop.orders ALTER COLUMN code SET NOT NULL;

-- the archive is prepared
-- the archive is prepared
-- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN code SET NOT NULL
CREATE TABLE "rollback_archive"."rb1_1_orders_columns" AS
SELECT "id", "code"
FROM "shop"."orders" WHERE "code" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders_columns', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders_columns";
ALTER TABLE "shop"."orders" DROP COLUMN "code";

-- again: UPDATE "shop"."orders" AS live SET "code" = kept."code"
FROM "rollback_archive"."rb1_1_orders_columns" AS kept WHERE live."id" = kept."id";