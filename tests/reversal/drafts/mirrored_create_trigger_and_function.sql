-- -- undoes line 1: CREATE TRIGGER orders_keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION deny()
DROP TRIGGER "orders_keep" ON "shop"."orders";
DROP FUNCTION "public"."deny"();


-- undoes line 3: DROP FUNCTION "public"."deny"()
CREATE OR REPLACE FUNCTION public.deny()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$BEGIN RAISE EXCEPTION 'no'; END$function$;
-- undoes line 2: DROP TRIGGER "orders_keep" ON "shop"."orders"
CREATE TRIGGER orders_keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION public.deny();
