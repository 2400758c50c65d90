-- -- undoes line 1: CREATE RULE seen AS ON UPDATE TO shop.orders DO ALSO INSERT INTO seen VALUES (new.id)
DROP RULE "seen" ON "shop"."orders";
DROP TABLE "public"."seen";


-- RESIDUE: The rows of "public"."seen" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP RULE "seen" ON "shop"."orders"
CREATE TABLE "public"."seen" (
	"id" integer
);
CREATE RULE seen AS
    ON UPDATE TO shop.orders DO  INSERT INTO public.seen (id)
  VALUES (new.id);
