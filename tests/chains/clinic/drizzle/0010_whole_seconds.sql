ALTER TABLE "care"."visits" ALTER COLUMN "at" SET DATA TYPE timestamp (0) with time zone;--> statement-breakpoint
ALTER TABLE "care"."visits" ALTER COLUMN "at" SET DEFAULT now();