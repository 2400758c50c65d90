-- -- undoes line 1: CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18
DROP VIEW "public"."adults";
CREATE TYPE "public"."mood" AS ENUM ('low', 'fine', 'high');
-- NOTE: "public"."people"."mood" goes from text back to public.mood: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DATA TYPE public.mood USING "mood"::text::public.mood;
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DEFAULT 'fine'::public.mood;
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 2: DROP VIEW "public"."adults"
DROP VIEW "public"."adults";
-- undoes line 5: ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DATA TYPE public.mood USING "mood"::text::pub…
-- NOTE: "public"."people"."mood" goes from public.mood back to text: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "mood" DROP DEFAULT;
ALTER TABLE "public"."people" ALTER COLUMN "mood" SET DATA TYPE text;
-- undoes line 3: CREATE TYPE "public"."mood" AS ENUM ('low', 'fine', 'high')
DROP TYPE "public"."mood";
-- undoes line 2: DROP VIEW "public"."adults"
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
