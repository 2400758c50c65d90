-- CREATE RULE keep AS ON DELETE TO people DO INSTEAD NOTHING;

-- undoes line 1: CREATE RULE keep AS ON DELETE TO people DO INSTEAD NOTHING
DROP RULE "keep" ON "public"."people";
