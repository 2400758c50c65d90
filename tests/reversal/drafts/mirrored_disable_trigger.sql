-- -- undoes line 1: ALTER TABLE people DISABLE TRIGGER people_touch
DROP TRIGGER "people_touch" ON "public"."people";
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();


-- undoes line 2: DROP TRIGGER "people_touch" ON "public"."people"
DROP TRIGGER "people_touch" ON "public"."people";
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();
ALTER TABLE "public"."people" DISABLE TRIGGER "people_touch";
