-- ALTER TABLE people REPLICA IDENTITY FULL; ALTER TABLE shop.orders CLUSTER ON orders_person_idx;

-- undoes line 1: ALTER TABLE shop.orders CLUSTER ON orders_person_idx
ALTER TABLE "public"."people" REPLICA IDENTITY DEFAULT;
ALTER TABLE "shop"."orders" SET WITHOUT CLUSTER;
