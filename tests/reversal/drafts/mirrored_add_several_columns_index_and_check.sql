-- -- undoes line 1: ALTER TABLE people ADD CONSTRAINT xy CHECK (x IS NULL OR x < y)
ALTER TABLE "public"."people" DROP CONSTRAINT "xy";
DROP INDEX "public"."people_xy";
ALTER TABLE "public"."people" DROP COLUMN "x";
ALTER TABLE "public"."people" DROP COLUMN "y";


-- RESIDUE: The values of "public"."people"."x" are gone; take them from a backup, or derive them.
-- RESIDUE: The values of "public"."people"."y" are gone; take them from a backup, or derive them.
-- undoes line 4: ALTER TABLE "public"."people" DROP COLUMN "x"
ALTER TABLE "public"."people" ADD COLUMN "x" integer;
-- undoes line 5: ALTER TABLE "public"."people" DROP COLUMN "y"
ALTER TABLE "public"."people" ADD COLUMN "y" integer;
CREATE INDEX people_xy ON public.people USING btree (x, y) WHERE (x IS NOT NULL);
-- undoes line 2: ALTER TABLE "public"."people" DROP CONSTRAINT "xy"
-- NOTE: Rows written since that break "xy" stop the rollback; correct them before.
ALTER TABLE "public"."people" ADD CONSTRAINT "xy" CHECK (((x IS NULL) OR (x < y)));
