-- -- undoes line 1: ALTER TABLE people ADD CONSTRAINT people_boss_fk FOREIGN KEY (boss) REFERENCES people (id) ON DELET…
ALTER TABLE "public"."people" DROP CONSTRAINT "people_boss_fk";
ALTER TABLE "public"."people" DROP COLUMN "boss";


-- RESIDUE: The values of "public"."people"."boss" are gone; take them from a backup, or derive them.
-- undoes line 3: ALTER TABLE "public"."people" DROP COLUMN "boss"
ALTER TABLE "public"."people" ADD COLUMN "boss" integer;
-- undoes line 2: ALTER TABLE "public"."people" DROP CONSTRAINT "people_boss_fk"
-- NOTE: Rows written since that break "people_boss_fk" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "people_boss_fk" FOREIGN KEY (boss) REFERENCES public.people(id) ON DELETE SET NULL;
