-- -- undoes line 1: ALTER TABLE people_log ADD COLUMN at timestamptz DEFAULT now()
DROP TABLE "public"."people_log";


-- RESIDUE: The rows of "public"."people_log" are gone; load them from a backup taken before the migration.
-- undoes line 2: DROP TABLE "public"."people_log"
CREATE TABLE "public"."people_log" (
	"line" text,
	"at" timestamp with time zone DEFAULT now()
);
