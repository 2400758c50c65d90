-- ALTER TRIGGER people_touch ON people RENAME TO touched; CREATE POLICY p ON people USING (true); ALTER POLICY p ON people RENAME TO q; ALTER INDEX shop.orders_person_idx RENAME TO by_person;

-- undoes line 1: ALTER INDEX shop.orders_person_idx RENAME TO by_person
ALTER INDEX "shop"."by_person" RENAME TO "orders_person_idx";
ALTER POLICY "q" ON "public"."people" RENAME TO "p";
ALTER TRIGGER "touched" ON "public"."people" RENAME TO "people_touch";
DROP POLICY "p" ON "public"."people";
