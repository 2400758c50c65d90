-- -- RESIDUE: Rows that hold 'great' stop the rollback: decide what they become and say so with an UPDATE before it.
DROP VIEW "public"."adults";
-- undoes line 1: ALTER TYPE mood ADD VALUE 'great'
DROP INDEX "public"."people_mood";
DROP FUNCTION "public"."feel"(m public.mood);
ALTER TABLE "public"."people" ALTER COLUMN "mood" DROP DEFAULT;
ALTER TYPE "public"."mood" RENAME TO "mood_before_rollback";
CREATE TYPE "public"."mood" AS ENUM ('low', 'fine', 'high');
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DATA TYPE public.mood USING "mood"::text::public.mood;
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DEFAULT 'fine'::public.mood;
DROP TYPE "public"."mood_before_rollback";
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 5: DROP FUNCTION "public"."feel"(m public.mood)
ALTER TYPE "public"."mood" ADD VALUE 'great' AFTER 'high';
CREATE OR REPLACE FUNCTION public.feel(m public.mood)
 RETURNS text
 LANGUAGE sql
AS $function$SELECT m::text$function$;
CREATE INDEX people_mood ON public.people USING btree (mood);
