-- -- undoes line 1: CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
DROP TABLE "public"."log_2026";
DROP TABLE "public"."log";


-- RESIDUE: The rows of "public"."log" are gone; load them from a backup taken before the migration.
-- RESIDUE: The rows of "public"."log_2026" are gone; load them from a backup taken before the migration.
-- undoes line 3: DROP TABLE "public"."log"
CREATE TABLE "public"."log" (
	"at" date NOT NULL,
	"what" text
) PARTITION BY RANGE (at);
-- undoes line 2: DROP TABLE "public"."log_2026"
CREATE TABLE "public"."log_2026" PARTITION OF public.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
