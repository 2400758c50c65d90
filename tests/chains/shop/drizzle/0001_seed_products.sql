INSERT INTO "products" ("sku", "title", "price", "attributes") SELECT 'sku-' || n, 'Product ' || n, n + 0.5, jsonb_build_object('n', n) FROM generate_series(1, 12) AS n;
