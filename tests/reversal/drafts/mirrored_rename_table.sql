-- -- undoes line 1: ALTER TABLE people RENAME TO persons
ALTER TABLE "public"."persons" RENAME TO "people";


-- undoes line 2: ALTER TABLE "public"."persons" RENAME TO "people"
ALTER TABLE "public"."people" RENAME TO "persons";
