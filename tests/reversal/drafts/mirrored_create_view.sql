-- -- undoes line 1: CREATE VIEW notes AS SELECT note FROM people
DROP VIEW "public"."notes";


-- undoes line 2: DROP VIEW "public"."notes"
CREATE VIEW "public"."notes" AS
SELECT note
   FROM public.people;
