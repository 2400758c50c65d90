-- -- undoes line 1: ALTER TABLE shop.orders ADD CONSTRAINT orders_person_id_fkey FOREIGN KEY (person_id) REFERENCES peo…
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_person_id_fkey";
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id) ON DELETE CASCADE;


-- undoes line 2: ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_person_id_fkey"
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_person_id_fkey";
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id) ON DELETE RESTRICT;
