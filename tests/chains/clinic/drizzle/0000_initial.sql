CREATE SCHEMA "care";
--> statement-breakpoint
CREATE TYPE "care"."severity" AS ENUM('low', 'high');--> statement-breakpoint
CREATE SEQUENCE "public"."file_numbers" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1000 CACHE 1;--> statement-breakpoint
CREATE TABLE "care"."patients" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "care"."patients_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" uuid NOT NULL,
	"file_number" integer DEFAULT nextval('file_numbers'::regclass) NOT NULL,
	"given_name" text NOT NULL,
	"family_name" text NOT NULL,
	CONSTRAINT "patients_file" UNIQUE("tenant_id","file_number")
);
--> statement-breakpoint
CREATE TABLE "care"."tenants" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	CONSTRAINT "tenants_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "care"."visits" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"patient_id" bigint NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"opens" time,
	"severity" "care"."severity" DEFAULT 'low' NOT NULL
);
--> statement-breakpoint
ALTER TABLE "care"."patients" ADD CONSTRAINT "patients_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "care"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "care"."visits" ADD CONSTRAINT "visits_patient_id_patients_id_fk" FOREIGN KEY ("patient_id") REFERENCES "care"."patients"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "visits_patient_idx" ON "care"."visits" USING btree ("patient_id","at");