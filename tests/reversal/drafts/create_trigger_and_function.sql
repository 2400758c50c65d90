-- CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; CREATE TRIGGER orders_keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION deny();

-- undoes line 1: CREATE TRIGGER orders_keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION deny()
DROP TRIGGER "orders_keep" ON "shop"."orders";
DROP FUNCTION "public"."deny"();
