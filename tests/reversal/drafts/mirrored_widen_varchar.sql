-- -- undoes line 1: CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18
DROP VIEW "public"."adults";
-- NOTE: "public"."people"."email" goes from character varying(200) back to character varying(120): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "email" SET DATA TYPE character varying(120);
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 2: DROP VIEW "public"."adults"
DROP VIEW "public"."adults";
-- undoes line 4: ALTER TABLE "public"."people" ALTER COLUMN "email" SET DATA TYPE character varying(120)
-- NOTE: "public"."people"."email" goes from character varying(120) back to character varying(200): what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "email" SET DATA TYPE character varying(200);
-- undoes line 2: DROP VIEW "public"."adults"
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
