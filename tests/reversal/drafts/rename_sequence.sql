-- ALTER SEQUENCE tickets RENAME TO coupons;

-- undoes line 1: ALTER SEQUENCE tickets RENAME TO coupons
ALTER SEQUENCE "public"."coupons" RENAME TO "tickets";
