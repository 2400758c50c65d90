-- -- undoes line 1: ALTER TABLE people ADD CONSTRAINT people_age_positive CHECK (age > 1)
ALTER TABLE "public"."people" DROP CONSTRAINT "people_age_positive";
ALTER TABLE "public"."people" ADD CONSTRAINT "people_age_positive" CHECK ((age > 0));


-- undoes line 2: ALTER TABLE "public"."people" DROP CONSTRAINT "people_age_positive"
ALTER TABLE "public"."people" DROP CONSTRAINT "people_age_positive";
ALTER TABLE "public"."people" ADD CONSTRAINT "people_age_positive" CHECK ((age > 1));
