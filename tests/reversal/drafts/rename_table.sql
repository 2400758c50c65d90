-- ALTER TABLE people RENAME TO persons;

-- undoes line 1: ALTER TABLE people RENAME TO persons
ALTER TABLE "public"."persons" RENAME TO "people";
