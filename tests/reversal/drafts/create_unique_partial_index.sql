-- CREATE UNIQUE INDEX people_one ON people (email) WHERE age > 30;

-- undoes line 1: CREATE UNIQUE INDEX people_one ON people (email) WHERE age > 30
DROP INDEX "public"."people_one";
