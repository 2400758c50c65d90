DROP VIEW "public"."entity_directory";
-- The names live on in given_name and family_name; what was typed between or around them is not recovered.
ALTER TABLE "members" ADD COLUMN "display_name" text;
UPDATE "members" SET "display_name" = concat_ws(' ', "given_name", "family_name");
ALTER TABLE "members" ALTER COLUMN "display_name" SET NOT NULL;
DROP INDEX "public"."audit_events_severity_idx";
ALTER TABLE "audit_events" DROP COLUMN "ip_address";
ALTER TABLE "audit_events" DROP COLUMN "request_id";
ALTER TABLE "audit_events" DROP COLUMN "severity";
DROP TYPE "public"."audit_severity";
-- Titles that the migration cut to 200 characters stay cut.
ALTER TABLE "documents" ALTER COLUMN "title" SET DATA TYPE text;
-- PostgreSQL cannot drop an enum value: auditors become members, then the type is swapped.
ALTER TABLE "members" ALTER COLUMN "role" DROP DEFAULT;
ALTER TYPE "public"."member_role" RENAME TO "member_role_with_auditor";
CREATE TYPE "public"."member_role" AS ENUM ('owner', 'admin', 'member');
ALTER TABLE "members" ALTER COLUMN "role" SET DATA TYPE "public"."member_role"
	USING (CASE WHEN "role"::text = 'auditor' THEN 'member' ELSE "role"::text END)::"public"."member_role";
ALTER TABLE "members" ALTER COLUMN "role" SET DEFAULT 'member';
DROP TYPE "public"."member_role_with_auditor";
