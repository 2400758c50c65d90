-- ALTER TABLE people DROP CONSTRAINT people_age_positive; ALTER TABLE people ADD CONSTRAINT people_age_positive CHECK (age > 1);

-- undoes line 1: ALTER TABLE people ADD CONSTRAINT people_age_positive CHECK (age > 1)
ALTER TABLE "public"."people" DROP CONSTRAINT "people_age_positive";
ALTER TABLE "public"."people" ADD CONSTRAINT "people_age_positive" CHECK ((age > 0));
