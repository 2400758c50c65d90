ALTER TABLE "meters" DROP CONSTRAINT "meters_serial_key";--> statement-breakpoint
ALTER TABLE "meters" ADD CONSTRAINT "meters_serial_key" UNIQUE NULLS NOT DISTINCT("serial_no");--> statement-breakpoint
CREATE MATERIALIZED VIEW "public"."yearly" AS (select meter_id, year, sum(value) as total from readings group by meter_id, year);