-- ALTER TABLE shop.orders DROP COLUMN placed_at;

-- RESIDUE: The values of "shop"."orders"."placed_at" are gone; take them from a backup, or derive them.
-- undoes line 1: ALTER TABLE shop.orders DROP COLUMN placed_at
ALTER TABLE "shop"."orders" ADD COLUMN "placed_at" timestamp with time zone DEFAULT now() NOT NULL;
