ALTER TABLE "members" DROP CONSTRAINT "members_email_has_at";
ALTER TABLE "entities" DROP CONSTRAINT "entities_registration_number_unique";
DROP TABLE "subscriptions";
ALTER TABLE "members" DROP COLUMN "family_name";
ALTER TABLE "members" DROP COLUMN "given_name";
ALTER TABLE "members" DROP COLUMN "tier";
ALTER TABLE "entities" DROP COLUMN "registration_number";
DROP TYPE "public"."membership_tier";
