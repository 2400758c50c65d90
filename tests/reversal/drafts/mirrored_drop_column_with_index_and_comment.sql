-- -- RESIDUE: The values of "shop"."orders"."placed_at" are gone; take them from a backup, or derive them.
-- undoes line 1: ALTER TABLE shop.orders DROP COLUMN placed_at
ALTER TABLE "shop"."orders" ADD COLUMN "placed_at" timestamp with time zone DEFAULT now() NOT NULL;


-- the archive is prepared
-- the archive is prepared
-- undoes line 3: ALTER TABLE "shop"."orders" ADD COLUMN "placed_at" timestamp with time zone DEFAULT now() NOT NULL
CREATE TABLE "rollback_archive"."rb1_1_orders_columns" AS
SELECT "id", "placed_at"
FROM "shop"."orders" WHERE "placed_at" IS NOT NULL;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_orders_columns', '"shop"."orders"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_orders_columns";
ALTER TABLE "shop"."orders" DROP COLUMN "placed_at";

-- again: UPDATE "shop"."orders" AS live SET "placed_at" = kept."placed_at"
FROM "rollback_archive"."rb1_1_orders_columns" AS kept WHERE live."id" = kept."id";