-- -- undoes line 1: ALTER TABLE people ADD COLUMN second email
ALTER TABLE "public"."people" DROP COLUMN "second";
DROP DOMAIN "public"."email";


-- RESIDUE: The values of "public"."people"."second" are gone; take them from a backup, or derive them.
-- undoes line 3: DROP DOMAIN "public"."email"
CREATE DOMAIN "public"."email" AS text CONSTRAINT email_check CHECK ((VALUE ~ '@'::text));
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "second"
ALTER TABLE "public"."people" ADD COLUMN "second" public.email;
