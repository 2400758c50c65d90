-- -- undoes line 1: GRANT SELECT ON people TO app_reader
DROP POLICY "own" ON "public"."people";
-- NOTE: Who may do what changes with this rollback.
REVOKE SELECT ON TABLE "public"."people" FROM app_reader;


-- undoes line 2: DROP POLICY "own" ON "public"."people"
CREATE POLICY "own" ON "public"."people" AS PERMISSIVE FOR ALL TO app_reader USING (true);
-- NOTE: Who may do what changes with this rollback.
GRANT SELECT ON TABLE "public"."people" TO app_reader;
