-- -- undoes line 1: GRANT SELECT ON adults TO PUBLIC
DROP VIEW "public"."adults";
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 2: DROP VIEW "public"."adults"
DROP VIEW "public"."adults";
CREATE VIEW "public"."adults" WITH (security_barrier=true) AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
COMMENT ON VIEW "public"."adults" IS 'of age';
-- NOTE: Who may do what changes with this rollback.
GRANT SELECT ON TABLE "public"."adults" TO PUBLIC;
