-- DROP INDEX shop.orders_person_idx;

CREATE INDEX orders_person_idx ON shop.orders USING btree (person_id);
