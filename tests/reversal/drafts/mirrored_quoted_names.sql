-- -- undoes line 1: CREATE INDEX "Odd Index" ON people ("Camel")
DROP INDEX "public"."Odd Index";
ALTER TABLE "public"."people" DROP COLUMN "Camel";
DROP TABLE "public"."Odd Name";


-- RESIDUE: The rows of "public"."Odd Name" are gone; load them from a backup taken before the migration.
-- RESIDUE: The values of "public"."people"."Camel" are gone; take them from a backup, or derive them.
-- undoes line 4: DROP TABLE "public"."Odd Name"
CREATE TABLE "public"."Odd Name" (
	"Select" integer NOT NULL,
	"it""s" text DEFAULT 'a\b'::text
);
-- undoes line 3: ALTER TABLE "public"."people" DROP COLUMN "Camel"
ALTER TABLE "public"."people" ADD COLUMN "Camel" integer;
CREATE INDEX "Odd Index" ON public.people USING btree ("Camel");
-- NOTE: Rows written since that break "Odd Name_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."Odd Name" ADD CONSTRAINT "Odd Name_pkey" PRIMARY KEY ("Select");
