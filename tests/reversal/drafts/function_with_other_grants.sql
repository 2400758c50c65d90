-- REVOKE EXECUTE ON FUNCTION shout(text) FROM PUBLIC; GRANT USAGE ON TYPE mood TO PUBLIC; GRANT SELECT ON people TO app_reader WITH GRANT OPTION;

-- NOTE: Who may do what changes with this rollback.
GRANT EXECUTE ON FUNCTION "public"."shout"(word text) TO PUBLIC;
REVOKE SELECT ON TABLE "public"."people" FROM app_reader;
