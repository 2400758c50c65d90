ALTER TABLE "readings" ALTER COLUMN "value" SET DATA TYPE numeric(20, 6);--> statement-breakpoint
ALTER TABLE "readings" ALTER COLUMN "count" SET DATA TYPE bigint;