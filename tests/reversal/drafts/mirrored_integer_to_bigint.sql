-- -- undoes line 1: CREATE VIEW adults AS SELECT id, email, mood FROM people WHERE age >= 18
DROP VIEW "public"."adults";
-- NOTE: "public"."people"."age" goes from bigint back to integer: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "age" DROP DEFAULT;
ALTER TABLE "public"."people" ALTER COLUMN "age" SET DATA TYPE integer;
ALTER TABLE "public"."people" ALTER COLUMN "age" SET DEFAULT 18;
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- undoes line 2: DROP VIEW "public"."adults"
DROP VIEW "public"."adults";
-- undoes line 4: ALTER TABLE "public"."people" ALTER COLUMN "age" DROP DEFAULT
-- NOTE: "public"."people"."age" goes from integer back to bigint: what the forward cast changed stays changed, and a value that does not fit stops the rollback.
ALTER TABLE "public"."people" ALTER COLUMN "age" DROP DEFAULT;
ALTER TABLE "public"."people" ALTER COLUMN "age" SET DATA TYPE bigint;
ALTER TABLE "public"."people" ALTER COLUMN "age" SET DEFAULT 18;
-- undoes line 2: DROP VIEW "public"."adults"
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);
