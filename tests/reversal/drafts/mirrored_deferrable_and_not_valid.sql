-- -- undoes line 1: ALTER TABLE people ADD CONSTRAINT once UNIQUE (born) DEFERRABLE
ALTER TABLE "public"."people" DROP CONSTRAINT "once";
ALTER TABLE "shop"."orders" DROP CONSTRAINT "late";


-- undoes line 2: ALTER TABLE "public"."people" DROP CONSTRAINT "once"
-- NOTE: Rows written since that break "once" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "once" UNIQUE (born) DEFERRABLE;
-- undoes line 3: ALTER TABLE "shop"."orders" DROP CONSTRAINT "late"
-- NOTE: Rows written since that break "late" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "late" FOREIGN KEY (id) REFERENCES public.people(id) DEFERRABLE INITIALLY DEFERRED NOT VALID;
