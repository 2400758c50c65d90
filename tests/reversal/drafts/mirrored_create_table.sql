-- -- undoes line 1: CREATE TABLE gifts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, person_id in…
DROP TABLE "public"."gifts";


-- RESIDUE: The rows of "public"."gifts" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."gifts"
CREATE TABLE "public"."gifts" (
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"person_id" integer
);
-- NOTE: Rows written since that break "gifts_person_id_fkey" stop the rollback; correct them before.
ALTER TABLE "public"."gifts" ADD CONSTRAINT "gifts_person_id_fkey" FOREIGN KEY (person_id) REFERENCES public.people(id);
-- NOTE: Rows written since that break "gifts_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."gifts" ADD CONSTRAINT "gifts_pkey" PRIMARY KEY (id);
