-- -- undoes line 1: ALTER TABLE g ALTER COLUMN d DROP EXPRESSION
DROP TABLE "public"."g";


-- RESIDUE: The rows of "public"."g" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."g"
CREATE TABLE "public"."g" (
	"id" integer NOT NULL,
	"d" integer
);
-- NOTE: Rows written since that break "g_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."g" ADD CONSTRAINT "g_pkey" PRIMARY KEY (id);
