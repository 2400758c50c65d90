-- -- undoes line 1: CREATE VIEW adults WITH (security_invoker = true) AS SELECT id FROM people
DROP VIEW "public"."adults";
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 2: DROP VIEW "public"."adults"
DROP VIEW "public"."adults";
CREATE VIEW "public"."adults" WITH (security_invoker=true) AS
SELECT id
   FROM public.people;
