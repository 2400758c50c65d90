-- ALTER TABLE shop.orders DROP CONSTRAINT orders_person_id_fkey; ALTER TABLE people DROP CONSTRAINT people_pkey;

-- undoes line 1: ALTER TABLE people DROP CONSTRAINT people_pkey
-- NOTE: Rows written since that break "people_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "people_pkey" PRIMARY KEY (id);
-- NOTE: Rows written since that break "orders_person_id_fkey" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id) ON DELETE CASCADE;
