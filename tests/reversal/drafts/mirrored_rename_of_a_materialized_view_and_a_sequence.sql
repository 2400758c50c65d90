-- -- undoes line 1: ALTER SEQUENCE tickets RENAME TO tokens
ALTER SEQUENCE "public"."tokens" RENAME TO "tickets";
ALTER MATERIALIZED VIEW "public"."n" RENAME TO "m";
DROP MATERIALIZED VIEW "public"."m";


-- undoes line 2: ALTER SEQUENCE "public"."tokens" RENAME TO "tickets"
ALTER SEQUENCE "public"."tickets" RENAME TO "tokens";
-- undoes line 3: ALTER MATERIALIZED VIEW "public"."n" RENAME TO "m"
CREATE MATERIALIZED VIEW "public"."n" AS
SELECT 1 AS one;
