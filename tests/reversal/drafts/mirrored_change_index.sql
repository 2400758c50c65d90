-- -- undoes line 1: CREATE INDEX orders_person_idx ON shop.orders (person_id DESC NULLS LAST, placed_at)
DROP INDEX "shop"."orders_person_idx";
CREATE INDEX orders_person_idx ON shop.orders USING btree (person_id);


-- undoes line 3: CREATE INDEX orders_person_idx ON shop.orders USING btree (person_id)
DROP INDEX "shop"."orders_person_idx";
CREATE INDEX orders_person_idx ON shop.orders USING btree (person_id DESC NULLS LAST, placed_at);
