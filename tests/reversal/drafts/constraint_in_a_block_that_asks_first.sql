-- DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'total_ok') THEN ALTER TABLE shop.orders ADD CONSTRAINT total_ok CHECK (total >= 0); END IF; EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- undoes line 1: DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'total_ok') THEN ALTER TABLE…
ALTER TABLE "shop"."orders" DROP CONSTRAINT "total_ok";
