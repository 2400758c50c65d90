-- -- undoes line 1: ALTER TABLE people DROP CONSTRAINT people_email_key
-- NOTE: Rows written since that break "people_email_key" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "people_email_key" UNIQUE (email);


-- undoes line 3: ALTER TABLE "public"."people" ADD CONSTRAINT "people_email_key" UNIQUE (email)
ALTER TABLE "public"."people" DROP CONSTRAINT "people_email_key";
