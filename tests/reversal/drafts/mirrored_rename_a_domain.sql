-- -- undoes line 1: ALTER DOMAIN a RENAME TO b
ALTER DOMAIN "public"."b" RENAME TO "a";
DROP DOMAIN "public"."a";


-- undoes line 2: ALTER DOMAIN "public"."b" RENAME TO "a"
CREATE DOMAIN "public"."b" AS text;
