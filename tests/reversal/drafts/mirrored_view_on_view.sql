-- -- undoes line 1: CREATE VIEW b AS SELECT id FROM a
DROP VIEW "public"."b";
DROP VIEW "public"."a";


-- undoes line 3: DROP VIEW "public"."a"
CREATE VIEW "public"."a" AS
SELECT id,
    email,
    mood
   FROM public.adults;
-- undoes line 2: DROP VIEW "public"."b"
CREATE VIEW "public"."b" AS
SELECT id
   FROM public.a;
