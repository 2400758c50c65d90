ALTER TABLE "customers" ALTER COLUMN "email_address" SET DATA TYPE varchar(320);--> statement-breakpoint
ALTER TABLE "products" ALTER COLUMN "price" SET DATA TYPE numeric(12, 2);