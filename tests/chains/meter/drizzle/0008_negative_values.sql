UPDATE "imports" SET "kind" = 'csv' WHERE "kind" IS NULL;--> statement-breakpoint
ALTER TABLE "readings" DROP CONSTRAINT "readings_value";--> statement-breakpoint
ALTER TABLE "imports" ALTER COLUMN "size" SET DATA TYPE integer;--> statement-breakpoint
ALTER TABLE "imports" ALTER COLUMN "kind" SET DEFAULT 'csv';--> statement-breakpoint
ALTER TABLE "imports" ALTER COLUMN "kind" SET NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "imports_name_idx" ON "imports" USING btree (lower(name),"kind");--> statement-breakpoint
ALTER TABLE "readings" ADD CONSTRAINT "readings_value" CHECK (value >= -1000);