-- -- undoes line 1: ALTER TABLE people ADD COLUMN handle citext
ALTER TABLE "public"."people" DROP COLUMN "handle";
DROP EXTENSION "citext";


-- RESIDUE: The values of "public"."people"."handle" are gone; take them from a backup, or derive them.
-- undoes line 3: DROP EXTENSION "citext"
CREATE EXTENSION "citext" WITH SCHEMA "public";
COMMENT ON EXTENSION "citext" IS 'data type for case-insensitive character strings';
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "handle"
ALTER TABLE "public"."people" ADD COLUMN "handle" public.citext;
