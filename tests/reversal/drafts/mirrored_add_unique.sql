-- -- undoes line 1: ALTER TABLE people ADD CONSTRAINT born_once UNIQUE NULLS NOT DISTINCT (born)
ALTER TABLE "public"."people" DROP CONSTRAINT "born_once";


-- undoes line 2: ALTER TABLE "public"."people" DROP CONSTRAINT "born_once"
-- NOTE: Rows written since that break "born_once" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "born_once" UNIQUE NULLS NOT DISTINCT (born);
