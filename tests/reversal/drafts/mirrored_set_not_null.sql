-- -- FILL IN: Line 1 changed rows; that is not undone: take the rows from a backup or write the statement that turns them back.
-- undoes line 1: ALTER TABLE people ALTER COLUMN note SET NOT NULL
ALTER TABLE "public"."people" ALTER COLUMN "note" DROP NOT NULL;


-- undoes line 3: ALTER TABLE "public"."people" ALTER COLUMN "note" DROP NOT NULL
-- NOTE: Rows whose "public"."people"."note" is NULL stop the rollback; give them a value before.
ALTER TABLE "public"."people" ALTER COLUMN "note" SET NOT NULL;
