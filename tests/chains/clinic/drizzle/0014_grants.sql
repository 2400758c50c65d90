GRANT SELECT ON "care"."tenants" TO PUBLIC;
--> statement-breakpoint
COMMENT ON COLUMN "care"."patients"."file_number" IS 'On the paper file';
