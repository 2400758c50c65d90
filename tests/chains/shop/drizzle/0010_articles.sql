ALTER TABLE "products" RENAME TO "articles";--> statement-breakpoint
ALTER TABLE "articles" DROP CONSTRAINT "products_price_positive";--> statement-breakpoint
ALTER TABLE "order_lines" DROP CONSTRAINT "order_lines_product_id_products_id_fk";
--> statement-breakpoint
ALTER TABLE "order_lines" ADD CONSTRAINT "order_lines_product_id_articles_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."articles"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "articles" ADD CONSTRAINT "products_price_positive" CHECK ("articles"."price" >= 0);