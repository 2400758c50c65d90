-- -- undoes line 1: ALTER TABLE people ENABLE REPLICA TRIGGER people_touch
DROP TRIGGER "a" ON "public"."people";
DROP TRIGGER "people_touch" ON "public"."people";
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();


-- undoes line 3: DROP TRIGGER "people_touch" ON "public"."people"
DROP TRIGGER "people_touch" ON "public"."people";
-- undoes line 2: DROP TRIGGER "a" ON "public"."people"
CREATE TRIGGER a BEFORE INSERT ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE "public"."people" ENABLE ALWAYS TRIGGER "a";
-- undoes line 3: DROP TRIGGER "people_touch" ON "public"."people"
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE "public"."people" ENABLE REPLICA TRIGGER "people_touch";
