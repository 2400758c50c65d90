CREATE TYPE "public"."unit" AS ENUM('kWh', 'm3', 'l');--> statement-breakpoint
ALTER TABLE "meters" ADD COLUMN "unit" "unit" DEFAULT 'kWh' NOT NULL;