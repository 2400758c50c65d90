-- -- undoes line 1: ALTER TABLE people DROP CONSTRAINT people_age_positive
-- NOTE: Rows written since that break "people_age_positive" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "people_age_positive" CHECK ((age > 0));


-- undoes line 3: ALTER TABLE "public"."people" ADD CONSTRAINT "people_age_positive" CHECK ((age > 0))
ALTER TABLE "public"."people" DROP CONSTRAINT "people_age_positive";
