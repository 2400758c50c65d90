-- ALTER TABLE people ADD COLUMN email_upper text GENERATED ALWAYS AS (upper(email)) STORED;

-- undoes line 1: ALTER TABLE people ADD COLUMN email_upper text GENERATED ALWAYS AS (upper(email)) STORED
ALTER TABLE "public"."people" DROP COLUMN "email_upper";
