ALTER TABLE "meters" ALTER COLUMN "installed" SET DATA TYPE timestamp with time zone;--> statement-breakpoint
CREATE INDEX CONCURRENTLY "readings_year_idx" ON "readings" USING btree ("year");