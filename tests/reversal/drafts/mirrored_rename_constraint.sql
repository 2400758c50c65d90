-- -- undoes line 1: ALTER TABLE people RENAME CONSTRAINT people_age_positive TO age_ok
ALTER TABLE "public"."people" RENAME CONSTRAINT "age_ok" TO "people_age_positive";


-- undoes line 2: ALTER TABLE "public"."people" RENAME CONSTRAINT "age_ok" TO "people_age_positive"
ALTER TABLE "public"."people" RENAME CONSTRAINT "people_age_positive" TO "age_ok";
