-- -- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN code SET NOT NULL
ALTER TABLE "shop"."orders" DROP COLUMN "code";


-- RESIDUE: The values of "shop"."orders"."code" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "shop"."orders" DROP COLUMN "code"
ALTER TABLE "shop"."orders" ADD COLUMN "code" text;
-- FILL IN: "shop"."orders"."code" must have a value in every row before the next statement.
ALTER TABLE "shop"."orders" ALTER COLUMN "code" SET NOT NULL;
