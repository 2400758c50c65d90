-- CREATE OR REPLACE VIEW adults WITH (security_barrier = true) AS SELECT id, email, mood FROM people WHERE age >= 18; COMMENT ON VIEW adults IS 'of age'; GRANT SELECT ON adults TO PUBLIC;

-- undoes line 1: GRANT SELECT ON adults TO PUBLIC
DROP VIEW "public"."adults";
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
