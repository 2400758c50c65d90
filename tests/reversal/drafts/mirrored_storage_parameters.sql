-- -- undoes line 1: ALTER TABLE people SET (fillfactor = 70, autovacuum_enabled = false)
ALTER TABLE "public"."people" RESET (fillfactor, autovacuum_enabled);


-- undoes line 2: ALTER TABLE "public"."people" RESET (fillfactor, autovacuum_enabled)
ALTER TABLE "public"."people" SET (fillfactor = 70, autovacuum_enabled = false);
