-- -- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18
ALTER TYPE "public"."mood" ADD VALUE 'low' BEFORE 'fine';


-- RESIDUE: Rows that hold 'low' stop the rollback: decide what they become and say so with an UPDATE before it.
DROP VIEW "public"."adults";
-- undoes line 3: ALTER TYPE "public"."mood" ADD VALUE 'low' BEFORE 'fine'
ALTER TABLE "public"."people" ALTER COLUMN "mood" DROP DEFAULT;
ALTER TYPE "public"."mood" RENAME TO "mood_before_rollback";
CREATE TYPE "public"."mood" AS ENUM ('fine', 'high');
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DATA TYPE public.mood USING "mood"::text::public.mood;
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DEFAULT 'fine'::public.mood;
DROP TYPE "public"."mood_before_rollback";
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
