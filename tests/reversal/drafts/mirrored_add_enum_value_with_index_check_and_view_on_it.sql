-- -- RESIDUE: Rows that hold 'great' stop the rollback: decide what they become and say so with an UPDATE before it.
DROP VIEW "public"."adults";
-- undoes line 1: ALTER TYPE mood ADD VALUE 'great'
ALTER TABLE "public"."people" DROP CONSTRAINT "mood_ok";
DROP INDEX "public"."people_mood";
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


-- undoes line 6: ALTER TABLE "public"."people" ALTER COLUMN "mood" DROP DEFAULT
ALTER TYPE "public"."mood" ADD VALUE 'great' AFTER 'high';
CREATE INDEX people_mood ON public.people USING btree (mood) WHERE (mood = 'low'::public.mood);
-- undoes line 4: ALTER TABLE "public"."people" DROP CONSTRAINT "mood_ok"
-- NOTE: Rows written since that break "mood_ok" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "mood_ok" CHECK (((mood <> 'high'::public.mood) OR (age > 1)));
