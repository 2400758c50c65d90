CREATE INDEX "meters_active" ON "meters" USING hash ("serial_no");
--> statement-breakpoint
ALTER TABLE "readings" ALTER COLUMN "count" SET STATISTICS 500;
--> statement-breakpoint
ALTER TABLE "readings" SET (fillfactor = 80);
