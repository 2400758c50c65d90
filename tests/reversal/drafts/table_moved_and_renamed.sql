-- ALTER TABLE shop.orders SET SCHEMA public; ALTER TABLE orders RENAME TO purchases;

-- undoes line 1: ALTER TABLE orders RENAME TO purchases
ALTER TABLE "public"."purchases" RENAME TO "orders";
ALTER TABLE "public"."orders" SET SCHEMA "shop";
