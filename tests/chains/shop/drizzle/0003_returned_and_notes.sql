ALTER TYPE "public"."order_state" ADD VALUE 'returned';--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "note" text;--> statement-breakpoint
CREATE INDEX "orders_open_idx" ON "orders" USING btree ("placed_at") WHERE "orders"."state" <> 'sent';