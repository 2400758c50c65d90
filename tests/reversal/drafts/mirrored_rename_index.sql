-- -- undoes line 1: ALTER INDEX shop.orders_person_idx RENAME TO by_person
ALTER INDEX "shop"."by_person" RENAME TO "orders_person_idx";


-- undoes line 2: ALTER INDEX "shop"."by_person" RENAME TO "orders_person_idx"
ALTER INDEX "shop"."orders_person_idx" RENAME TO "by_person";
