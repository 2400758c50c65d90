-- -- undoes line 1: CREATE TABLE days (born date REFERENCES people (born))
DROP TABLE "public"."days";
DROP INDEX "public"."people_born";


-- RESIDUE: The rows of "public"."days" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."days"
CREATE TABLE "public"."days" (
	"born" date
);
CREATE UNIQUE INDEX people_born ON public.people USING btree (born);
-- NOTE: Rows written since that break "days_born_fkey" stop the rollback; correct them before.
ALTER TABLE "public"."days" ADD CONSTRAINT "days_born_fkey" FOREIGN KEY (born) REFERENCES public.people(born);
