CREATE SCHEMA "Old Files";
--> statement-breakpoint
CREATE TABLE "Old Files"."Paper files" (
	"File No" integer PRIMARY KEY NOT NULL,
	"Shelf %" varchar(20) DEFAULT 'unsorted'
);
