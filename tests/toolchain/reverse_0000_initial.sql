DROP TABLE "audit_events";
DROP TABLE "members";
DROP TABLE "entities";
DROP TYPE "public"."member_role";
DROP TYPE "public"."entity_status";
