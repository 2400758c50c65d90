-- -- undoes line 1: ALTER TABLE people ADD COLUMN token uuid DEFAULT gen_random_uuid() NOT NULL
ALTER TABLE "public"."people" DROP COLUMN "token";


-- RESIDUE: The values of "public"."people"."token" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "token"
ALTER TABLE "public"."people" ADD COLUMN "token" uuid DEFAULT gen_random_uuid() NOT NULL;
