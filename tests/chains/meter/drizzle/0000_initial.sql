CREATE TABLE "meters" (
	"id" serial PRIMARY KEY NOT NULL,
	"serial_no" varchar(32) NOT NULL,
	"installed" date,
	"active" boolean DEFAULT true,
	"address" "inet",
	"pause" interval DEFAULT '1 day',
	CONSTRAINT "meters_serial_key" UNIQUE("serial_no")
);
--> statement-breakpoint
CREATE TABLE "readings" (
	"meter_id" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"value" double precision NOT NULL,
	"count" integer DEFAULT 0 NOT NULL,
	"quality" smallint,
	CONSTRAINT "readings_pk" PRIMARY KEY("meter_id","at"),
	CONSTRAINT "readings_value" CHECK (value >= 0)
);
--> statement-breakpoint
ALTER TABLE "readings" ADD CONSTRAINT "readings_meter_id_meters_id_fk" FOREIGN KEY ("meter_id") REFERENCES "public"."meters"("id") ON DELETE no action ON UPDATE no action;