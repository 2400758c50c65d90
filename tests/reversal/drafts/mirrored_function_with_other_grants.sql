-- -- NOTE: Who may do what changes with this rollback.
GRANT EXECUTE ON FUNCTION "public"."shout"(word text) TO PUBLIC;
REVOKE SELECT ON TABLE "public"."people" FROM app_reader;


-- NOTE: Who may do what changes with this rollback.
GRANT SELECT ON TABLE "public"."people" TO app_reader WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION "public"."shout"(word text) FROM PUBLIC;
