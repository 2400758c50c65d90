ALTER TYPE "care"."severity" ADD VALUE 'medium' BEFORE 'high';--> statement-breakpoint
ALTER TYPE "care"."severity" ADD VALUE 'critical';--> statement-breakpoint
DROP VIEW "care"."open_visits";--> statement-breakpoint
ALTER TABLE "care"."visits" ADD COLUMN "closed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE VIEW "care"."open_visits" AS (select "id", "patient_id", "severity" from "care"."visits" where "care"."visits"."closed" = false);