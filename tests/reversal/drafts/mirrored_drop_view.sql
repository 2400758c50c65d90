-- -- undoes line 1: DROP VIEW adults
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 2: CREATE VIEW "public"."adults" AS SELECT id, email, mood FROM public.people WHERE (age >= 18)
DROP VIEW "public"."adults";
