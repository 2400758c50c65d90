-- CREATE DOMAIN a AS text; ALTER DOMAIN a RENAME TO b;

-- undoes line 1: ALTER DOMAIN a RENAME TO b
ALTER DOMAIN "public"."b" RENAME TO "a";
DROP DOMAIN "public"."a";
