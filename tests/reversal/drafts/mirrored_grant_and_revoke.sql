-- -- NOTE: Who may do what changes with this rollback.
GRANT EXECUTE ON FUNCTION "public"."shout"(word text) TO PUBLIC;
REVOKE INSERT ON TABLE "public"."people" FROM app_writer;
REVOKE SELECT ON TABLE "public"."people" FROM app_writer;


-- NOTE: Who may do what changes with this rollback.
GRANT INSERT ON TABLE "public"."people" TO app_writer;
GRANT SELECT ON TABLE "public"."people" TO app_writer;
REVOKE EXECUTE ON FUNCTION "public"."shout"(word text) FROM PUBLIC;
