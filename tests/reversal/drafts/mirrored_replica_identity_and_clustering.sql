-- -- undoes line 1: ALTER TABLE shop.orders CLUSTER ON orders_person_idx
ALTER TABLE "public"."people" REPLICA IDENTITY DEFAULT;
ALTER TABLE "shop"."orders" SET WITHOUT CLUSTER;


-- undoes line 2: ALTER TABLE "public"."people" REPLICA IDENTITY DEFAULT
ALTER TABLE "public"."people" REPLICA IDENTITY FULL;
-- undoes line 3: ALTER TABLE "shop"."orders" SET WITHOUT CLUSTER
ALTER TABLE "shop"."orders" CLUSTER ON orders_person_idx;
