-- -- undoes line 1: ALTER TABLE people ADD COLUMN email_upper text GENERATED ALWAYS AS (upper(email)) STORED
ALTER TABLE "public"."people" DROP COLUMN "email_upper";


-- undoes line 2: ALTER TABLE "public"."people" DROP COLUMN "email_upper"
ALTER TABLE "public"."people" ADD COLUMN "email_upper" text GENERATED ALWAYS AS (upper((email)::text)) STORED;
