CREATE TYPE "mood" AS ENUM('ok', 'bad');--> statement-breakpoint
CREATE TABLE "people" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "people_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"mood" "mood",
	CONSTRAINT "named" CHECK (length("name") > 0)
);
--> statement-breakpoint
CREATE INDEX "people_name" ON "people" ("name");--> statement-breakpoint
CREATE VIEW "adults" AS (select "id" from "people");