ALTER TYPE "public"."order_state" ADD VALUE 'packed' BEFORE 'sent';--> statement-breakpoint
CREATE INDEX "products_attributes_idx" ON "products" USING gin ("attributes");--> statement-breakpoint
CREATE INDEX "products_title_idx" ON "products" USING btree (lower("title"));