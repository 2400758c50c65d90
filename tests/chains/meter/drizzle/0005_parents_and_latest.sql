ALTER TABLE "meters" ADD COLUMN "parent_id" integer;--> statement-breakpoint
ALTER TABLE "meters" ADD CONSTRAINT "meters_parent_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."meters"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
CREATE VIEW "public"."latest" AS (select meter_id, max(at) as at from readings group by meter_id);