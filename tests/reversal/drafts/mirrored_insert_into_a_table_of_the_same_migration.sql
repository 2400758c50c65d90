-- -- undoes line 1: INSERT INTO gifts SELECT 1
DROP TABLE "public"."gifts";


-- RESIDUE: The rows of "public"."gifts" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."gifts"
CREATE TABLE "public"."gifts" (
	"id" integer NOT NULL
);
-- NOTE: Rows written since that break "gifts_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."gifts" ADD CONSTRAINT "gifts_pkey" PRIMARY KEY (id);
