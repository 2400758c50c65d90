-- -- undoes line 1: CREATE INDEX people_lower ON people (lower(email))
DROP INDEX "public"."people_lower";


CREATE INDEX people_lower ON public.people USING btree (lower((email)::text));
