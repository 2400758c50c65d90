ALTER TABLE "customers" RENAME COLUMN "email" TO "email_address";--> statement-breakpoint
ALTER TABLE "customers" DROP CONSTRAINT "customers_email_key";--> statement-breakpoint
ALTER TABLE "customers" ADD CONSTRAINT "customers_email_key" UNIQUE("email_address");