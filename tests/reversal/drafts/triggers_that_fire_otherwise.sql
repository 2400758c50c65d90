-- CREATE TRIGGER a BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE people ENABLE ALWAYS TRIGGER a; ALTER TABLE people ENABLE REPLICA TRIGGER people_touch;

-- undoes line 1: ALTER TABLE people ENABLE REPLICA TRIGGER people_touch
DROP TRIGGER "a" ON "public"."people";
DROP TRIGGER "people_touch" ON "public"."people";
CREATE TRIGGER people_touch BEFORE UPDATE ON public.people FOR EACH ROW EXECUTE FUNCTION public.touch();
