-- -- undoes line 1: ALTER TABLE shop.orders ALTER COLUMN person_id SET DATA TYPE bigint
-- NOTE: "shop"."orders"."person_id" goes from bigint back to integer: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "person_id" SET DATA TYPE integer;


-- undoes line 3: ALTER TABLE "shop"."orders" ALTER COLUMN "person_id" SET DATA TYPE integer
-- NOTE: "shop"."orders"."person_id" goes from integer back to bigint: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "shop"."orders" ALTER COLUMN "person_id" SET DATA TYPE bigint;
