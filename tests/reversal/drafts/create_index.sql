-- CREATE INDEX people_lower ON people (lower(email));

-- undoes line 1: CREATE INDEX people_lower ON people (lower(email))
DROP INDEX "public"."people_lower";
