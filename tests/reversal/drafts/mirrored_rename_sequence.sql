-- -- undoes line 1: ALTER SEQUENCE tickets RENAME TO coupons
ALTER SEQUENCE "public"."coupons" RENAME TO "tickets";


-- undoes line 2: ALTER SEQUENCE "public"."coupons" RENAME TO "tickets"
ALTER SEQUENCE "public"."tickets" RENAME TO "coupons";
