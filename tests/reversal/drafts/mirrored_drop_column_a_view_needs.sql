-- -- RESIDUE: The values of "public"."people"."mood" are gone; take them from a backup, or derive them.
-- undoes line 1: CREATE VIEW adults AS SELECT id, email FROM people WHERE age >= 18
DROP VIEW "public"."adults";
ALTER TABLE "public"."people" ADD COLUMN "mood" public.mood DEFAULT 'fine'::public.mood NOT NULL;
CREATE VIEW "public"."adults" AS
SELECT id,
    email,
    mood
   FROM public.people
  WHERE (age >= 18);


-- the archive is prepared
-- the archive is prepared
-- undoes line 4: ALTER TABLE "public"."people" ADD COLUMN "mood" public.mood DEFAULT 'fine'::public.mood NOT NULL
CREATE TABLE "rollback_archive"."rb1_1_people_columns" AS
SELECT "id", "mood"::text AS "mood"
FROM "public"."people" WHERE "mood" IS DISTINCT FROM 'fine'::public.mood;
INSERT INTO "rollback_archive"."manifest" ("kept_as", "source", "key_columns", "row_count", "expires_at")
SELECT 'rb1_1_people_columns', '"public"."people"', ARRAY['id']::text[], count(*), now() + interval '90 days'
FROM "rollback_archive"."rb1_1_people_columns";
-- undoes line 3: DROP VIEW "public"."adults"
DROP VIEW "public"."adults";
-- undoes line 4: ALTER TABLE "public"."people" ADD COLUMN "mood" public.mood DEFAULT 'fine'::public.mood NOT NULL
ALTER TABLE "public"."people" DROP COLUMN "mood";
-- undoes line 3: DROP VIEW "public"."adults"
CREATE VIEW "public"."adults" AS
SELECT id,
    email
   FROM public.people
  WHERE (age >= 18);

-- again: UPDATE "public"."people" AS live SET "mood" = kept."mood"::public.mood
FROM "rollback_archive"."rb1_1_people_columns" AS kept WHERE live."id" = kept."id";