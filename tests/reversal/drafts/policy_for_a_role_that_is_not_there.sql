-- CREATE POLICY own ON people TO app_reader USING (true); GRANT SELECT ON people TO app_reader;

-- undoes line 1: GRANT SELECT ON people TO app_reader
DROP POLICY "own" ON "public"."people";
-- NOTE: Who may do what changes with this rollback.
REVOKE SELECT ON TABLE "public"."people" FROM app_reader;
