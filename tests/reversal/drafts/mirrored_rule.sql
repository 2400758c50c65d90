-- -- undoes line 1: CREATE RULE keep AS ON DELETE TO people DO INSTEAD NOTHING
DROP RULE "keep" ON "public"."people";


-- undoes line 2: DROP RULE "keep" ON "public"."people"
CREATE RULE keep AS
    ON DELETE TO public.people DO INSTEAD NOTHING;
