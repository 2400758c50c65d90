-- -- undoes line 1: ALTER TABLE people DROP CONSTRAINT people_pkey
-- NOTE: Rows written since that break "people_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "people_pkey" PRIMARY KEY (id);
-- NOTE: Rows written since that break "orders_person_id_fkey" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id) ON DELETE CASCADE;


-- undoes line 5: ALTER TABLE "shop"."orders" ADD CONSTRAINT "orders_person_id_fkey" FOREIGN KEY (person_id) REFERENC…
ALTER TABLE "shop"."orders" DROP CONSTRAINT "orders_person_id_fkey";
-- undoes line 3: ALTER TABLE "public"."people" ADD CONSTRAINT "people_pkey" PRIMARY KEY (id)
ALTER TABLE "public"."people" DROP CONSTRAINT "people_pkey";
