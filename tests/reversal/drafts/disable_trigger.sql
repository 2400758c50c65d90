-- ALTER TABLE people DISABLE TRIGGER people_touch;

-- undoes line 1: ALTER TABLE people DISABLE TRIGGER people_touch
DROP TRIGGER "people_touch" ON "public"."people";
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();
