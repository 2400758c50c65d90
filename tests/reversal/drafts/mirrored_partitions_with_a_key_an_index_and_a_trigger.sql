-- -- undoes line 1: CREATE TRIGGER log_touch BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch()
DROP TABLE "public"."log_2026_0";
DROP TABLE "public"."log_2026";
DROP TABLE "public"."log";


-- RESIDUE: The rows of "public"."log" are gone; load them from a backup taken before the migration.
-- RESIDUE: The rows of "public"."log_2026" are gone; load them from a backup taken before the migration.
-- RESIDUE: The rows of "public"."log_2026_0" are gone; load them from a backup taken before the migration.
-- undoes line 4: DROP TABLE "public"."log"
CREATE TABLE "public"."log" (
	"at" date NOT NULL,
	"id" integer NOT NULL,
	"what" text
) PARTITION BY RANGE (at);
-- undoes line 3: DROP TABLE "public"."log_2026"
CREATE TABLE "public"."log_2026" PARTITION OF public.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY HASH (id);
-- undoes line 2: DROP TABLE "public"."log_2026_0"
CREATE TABLE "public"."log_2026_0" PARTITION OF public.log_2026 FOR VALUES WITH (modulus 1, remainder 0);
CREATE INDEX log_what ON public.log USING btree (what);
-- NOTE: Rows written since that break "log_pkey" stop the rollback; correct them before.
ALTER TABLE "public"."log" ADD CONSTRAINT "log_pkey" PRIMARY KEY (at, id);
CREATE TRIGGER log_touch BEFORE UPDATE ON public.log FOR EACH ROW EXECUTE FUNCTION public.touch();
