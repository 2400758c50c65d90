-- -- undoes line 1: ALTER TABLE orders RENAME TO purchases
ALTER TABLE "public"."purchases" RENAME TO "orders";
ALTER TABLE "public"."orders" SET SCHEMA "shop";


-- undoes line 3: ALTER TABLE "public"."orders" SET SCHEMA "shop"
ALTER TABLE "shop"."orders" SET SCHEMA "public";
-- undoes line 2: ALTER TABLE "public"."purchases" RENAME TO "orders"
ALTER TABLE "public"."orders" RENAME TO "purchases";
