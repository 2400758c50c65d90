-- -- undoes line 1: ALTER TABLE shop.orders DROP CONSTRAINT orders_person_id_fkey
-- NOTE: Rows written since that break "orders_person_id_fkey" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id) ON DELETE CASCADE;


-- undoes line 3: ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENC…
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_person_id_fkey";
