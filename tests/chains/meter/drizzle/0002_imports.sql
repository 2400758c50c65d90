CREATE TABLE "imports" (
	"id" integer PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"size" real,
	"kind" text
);
--> statement-breakpoint
ALTER TABLE "meters" ALTER COLUMN "active" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "readings_at_idx" ON "readings" USING btree ("at" DESC NULLS LAST);