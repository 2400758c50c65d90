-- ALTER TABLE people SET (fillfactor = 70, autovacuum_enabled = false);

-- undoes line 1: ALTER TABLE people SET (fillfactor = 70, autovacuum_enabled = false)
ALTER TABLE "public"."people" RESET (fillfactor, autovacuum_enabled);
