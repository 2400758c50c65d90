-- -- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: UPDATE people SET code = 'p' || id
ALTER TABLE "public"."people" DROP COLUMN "code";


-- RESIDUE: The values of "public"."people"."code" are gone; take them from a backup, or derive them.
-- undoes line 3: ALTER TABLE "public"."people" DROP COLUMN "code"
ALTER TABLE "public"."people" ADD COLUMN "code" text;
