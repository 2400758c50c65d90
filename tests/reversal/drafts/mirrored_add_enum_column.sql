-- -- undoes line 1: ALTER TABLE people ADD COLUMN rank rank DEFAULT 'a' NOT NULL
ALTER TABLE "public"."people" DROP COLUMN "rank";
DROP TYPE "public"."rank";


-- RESIDUE: The values of "public"."people"."rank" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "rank"
CREATE TYPE "public"."rank" AS ENUM ('a', 'b');
ALTER TABLE "public"."people" ADD COLUMN "rank" public.rank DEFAULT 'a'::public.rank NOT NULL;
