-- -- undoes line 1: DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'total_ok') THEN ALTER TABLE…
ALTER TABLE "shop"."orders" DROP CONSTRAINT "total_ok";


-- undoes line 2: ALTER TABLE "shop"."orders" DROP CONSTRAINT "total_ok"
-- NOTE: Rows written since that break "total_ok" stop the rollback; correct them before.
ALTER TABLE "shop"."orders" ADD CONSTRAINT "total_ok" CHECK ((total >= (0)::numeric));
