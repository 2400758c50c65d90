-- -- undoes line 1: CREATE POLICY writes ON people FOR INSERT WITH CHECK (age > 18)
DROP POLICY "own" ON "public"."people";
DROP POLICY "writes" ON "public"."people";
ALTER TABLE "public"."people" DISABLE ROW LEVEL SECURITY;
ALTER TABLE "public"."people" NO FORCE ROW LEVEL SECURITY;


-- undoes line 2: DROP POLICY "own" ON "public"."people"
ALTER TABLE "public"."people" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "public"."people" FORCE ROW LEVEL SECURITY;
CREATE POLICY "own" ON "public"."people" AS RESTRICTIVE FOR SELECT TO PUBLIC USING ((age > 18));
-- undoes line 3: DROP POLICY "writes" ON "public"."people"
CREATE POLICY "writes" ON "public"."people" AS PERMISSIVE FOR INSERT TO PUBLIC WITH CHECK ((age > 18));
