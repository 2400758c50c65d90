-- -- undoes line 1: ALTER SEQUENCE shop.order_no OWNED BY shop.orders.number
ALTER TABLE "shop"."orders" DROP COLUMN "number";


-- RESIDUE: The values of "shop"."orders"."number" are gone; take them from a backup, or derive them.
CREATE SEQUENCE "shop"."order_no" AS bigint START WITH 1 INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1 NO CYCLE;
-- undoes line 2: ALTER TABLE "shop"."orders" DROP COLUMN "number"
ALTER TABLE "shop"."orders" ADD COLUMN "number" integer DEFAULT nextval('shop.order_no'::regclass);
ALTER SEQUENCE "shop"."order_no" OWNED BY shop.orders.number;
