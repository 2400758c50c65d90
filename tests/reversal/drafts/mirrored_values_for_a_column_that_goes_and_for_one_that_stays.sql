-- -- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: UPDATE shop.orders SET code = 'o' || id, total = 0
ALTER TABLE "shop"."orders" DROP COLUMN "code";


-- RESIDUE: The values of "shop"."orders"."code" are gone; take them from a backup, or derive them.
-- undoes line 3: ALTER TABLE "shop"."orders" DROP COLUMN "code"
ALTER TABLE "shop"."orders" ADD COLUMN "code" text;
