-- -- undoes line 1: ALTER TABLE people ADD COLUMN phone varchar(32)
ALTER TABLE "public"."people" DROP COLUMN "phone";


-- RESIDUE: The values of "public"."people"."phone" are gone; take them from a backup, or derive them.
-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "phone"
ALTER TABLE "public"."people" ADD COLUMN "phone" character varying(32);
