-- -- undoes line 1: ALTER INDEX shop.orders_person_idx RENAME TO by_person
ALTER INDEX "shop"."by_person" RENAME TO "orders_person_idx";
ALTER POLICY "q" ON "public"."people" RENAME TO "p";
ALTER TRIGGER "touched" ON "public"."people" RENAME TO "people_touch";
DROP POLICY "p" ON "public"."people";


-- undoes line 4: ALTER TRIGGER "touched" ON "public"."people" RENAME TO "people_touch"
ALTER TRIGGER "people_touch" ON "public"."people" RENAME TO "touched";
-- undoes line 2: ALTER INDEX "shop"."by_person" RENAME TO "orders_person_idx"
ALTER INDEX "shop"."orders_person_idx" RENAME TO "by_person";
-- undoes line 3: ALTER POLICY "q" ON "public"."people" RENAME TO "p"
CREATE POLICY "q" ON "public"."people" AS PERMISSIVE FOR ALL TO PUBLIC USING (true);
