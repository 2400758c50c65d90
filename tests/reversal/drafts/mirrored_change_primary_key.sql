-- -- undoes line 1: ALTER TABLE shop.orders ADD PRIMARY KEY (id, person_id)
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_pkey";
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_pkey" PRIMARY KEY (id);


-- undoes line 2: ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_pkey"
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_pkey";
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_pkey" PRIMARY KEY (id, person_id);
