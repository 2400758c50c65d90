-- after: 0000
INSERT INTO customers (email, name, born) SELECT 'c' || n || '@example.com', CASE WHEN n % 4 > 0 THEN 'Customer ' || n END, DATE '1990-01-01' + n FROM generate_series(1, 20) n;
-- after: 0001
INSERT INTO orders (customer_id, state) SELECT 1 + n % 20, (ARRAY['draft', 'placed', 'sent'])[1 + n % 3]::order_state FROM generate_series(1, 30) n;
INSERT INTO order_lines (order_id, product_id, quantity) SELECT id, 1 + (row_number() OVER (ORDER BY id))::int % 12, 2 FROM orders;
UPDATE products SET legacy_code = 'old-' || id WHERE id % 2 = 0;
-- after: 0002
INSERT INTO coupons (code, percent, customer_id) SELECT 'CODE' || n, n, n FROM generate_series(1, 9) n;
UPDATE customers SET newsletter = true WHERE id % 3 = 0;
UPDATE products SET weight = id WHERE id < 5;
-- after: 0003
UPDATE orders SET note = 'Leave at the door' WHERE state = 'placed';
-- after: 0005
UPDATE orders SET note = 'fragile' WHERE state = 'draft';
-- after: 0006
UPDATE customers SET referrer = 1 WHERE id > 10;
-- after: 0007
UPDATE products SET price = price * 2;
-- after: 0009
INSERT INTO returns (order_id, product_id, state) SELECT order_id, product_id, 'placed' FROM order_lines ORDER BY order_id LIMIT 5;
