-- -- undoes line 1: CREATE RULE people_keep AS ON DELETE TO people DO INSTEAD NOTHING
DROP TRIGGER "orders_keep" ON "shop"."orders";
DROP RULE "people_keep" ON "public"."people";
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "shop"."orders" WHERE ("id") IN ((9001));
-- NOTE: The rows that line 1 inserted go, edited since or not.
DELETE FROM "public"."people" WHERE ("id") IN ((950));
DROP FUNCTION "public"."deny"();


-- FILL IN: Line 5 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- FILL IN: Line 7 deleted rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 8: DROP FUNCTION "public"."deny"()
CREATE OR REPLACE FUNCTION public.deny()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$BEGIN RAISE EXCEPTION 'no'; END$function$;
-- undoes line 3: DROP RULE "people_keep" ON "public"."people"
CREATE RULE people_keep AS
    ON DELETE TO public.people DO INSTEAD NOTHING;
-- undoes line 2: DROP TRIGGER "orders_keep" ON "shop"."orders"
CREATE TRIGGER orders_keep BEFORE DELETE ON shop.orders FOR EACH ROW EXECUTE FUNCTION public.deny();
