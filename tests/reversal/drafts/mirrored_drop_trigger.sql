-- -- undoes line 1: DROP TRIGGER people_touch ON people
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();


-- undoes line 2: CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.tou…
DROP TRIGGER "people_touch" ON "public"."people";
