-- -- undoes line 1: CREATE UNIQUE INDEX people_one ON people (email) WHERE age > 30
DROP INDEX "public"."people_one";


CREATE UNIQUE INDEX people_one ON public.people USING btree (email) WHERE (age > 30);
