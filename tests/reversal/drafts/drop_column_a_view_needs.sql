-- DROP VIEW adults; ALTER TABLE people DROP COLUMN mood; CREATE VIEW adults AS SELECT id, email FROM people WHERE age >= 18;

-- RESIDUE: The values of "public"."people"."mood" are gone; take them from a backup, or derive them.
-- undoes line 1: CREATE VIEW adults AS SELECT id, email FROM people WHERE age >= 18
DROP VIEW "public"."adults";
ALTER TABLE "public"."people" ADD COLUMN "mood" public.mood DEFAULT 'fine'::public.mood NOT NULL;
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
