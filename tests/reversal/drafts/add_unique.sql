-- ALTER TABLE people ADD CONSTRAINT born_once UNIQUE NULLS NOT DISTINCT (born);

-- undoes line 1: ALTER TABLE people ADD CONSTRAINT born_once UNIQUE NULLS NOT DISTINCT (born)
ALTER TABLE "public"."people" DROP CONSTRAINT "born_once";
