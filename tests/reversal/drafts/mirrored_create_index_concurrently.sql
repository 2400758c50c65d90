-- -- undoes line 1: CREATE INDEX CONCURRENTLY people_later ON people (born)
DROP INDEX "public"."people_later";


CREATE INDEX people_later ON public.people USING btree (born);
