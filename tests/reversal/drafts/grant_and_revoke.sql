-- GRANT SELECT, INSERT ON people TO app_writer; REVOKE EXECUTE ON FUNCTION shout(text) FROM PUBLIC;

-- NOTE: Who may do what changes with this rollback.
GRANT EXECUTE ON FUNCTION "public"."shout"(word text) TO PUBLIC;
REVOKE INSERT ON TABLE "public"."people" FROM app_writer;
REVOKE SELECT ON TABLE "public"."people" FROM app_writer;
