DROP INDEX "public"."members_email_lower_idx";
DROP TABLE "documents";
ALTER TABLE "members" DROP COLUMN "locale";
ALTER TABLE "members" DROP COLUMN "phone";
