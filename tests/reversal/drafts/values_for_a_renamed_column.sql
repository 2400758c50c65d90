-- ALTER TABLE shop.orders RENAME COLUMN total TO sum; UPDATE shop.orders SET sum = 0;

-- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: UPDATE shop.orders SET sum = 0
ALTER TABLE "shop"."orders" RENAME COLUMN "sum" TO "total";
