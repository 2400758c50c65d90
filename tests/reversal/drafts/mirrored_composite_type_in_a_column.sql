-- -- undoes line 1: ALTER TABLE people ADD COLUMN home place
ALTER TABLE "public"."people" DROP COLUMN "home";
DROP TYPE "public"."place";


-- RESIDUE: The values of "public"."people"."home" are gone; take them from a backup, or derive them.
-- undoes line 3: DROP TYPE "public"."place"
CREATE TYPE "public"."place" AS (lat double precision, lon double precision);
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "home"
ALTER TABLE "public"."people" ADD COLUMN "home" public.place;
