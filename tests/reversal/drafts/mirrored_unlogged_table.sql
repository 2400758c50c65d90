-- -- undoes line 1: CREATE UNLOGGED TABLE quick (id integer PRIMARY KEY)
DROP TABLE "public"."quick";


-- RESIDUE: The rows of "public"."quick" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."quick"
CREATE UNLOGGED TABLE "public"."quick" (
	"id" integer NOT NULL
);
-- NOTE: Rows written since that break "quick_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."quick" ADD CONSTRAINT "quick_pkey" PRIMARY KEY (id);
