-- after: 0000
INSERT INTO meters (serial_no, installed, address) SELECT 'M' || n, DATE '2020-01-01' + n, ('10.0.0.' || n)::inet FROM generate_series(1, 15) n;
INSERT INTO readings (meter_id, at, value, count, quality) SELECT 1 + n % 15, TIMESTAMPTZ '2026-01-01 00:00Z' + n * INTERVAL '40 days', n * 1.5, n, CASE WHEN n % 2 = 0 THEN n % 7 END FROM generate_series(1, 60) n;
-- after: 0002
INSERT INTO imports (id, name, size, kind) SELECT n, 'file ' || n, n * 10, CASE WHEN n % 2 = 0 THEN 'json' END FROM generate_series(1, 10) n;
-- after: 0004
UPDATE meters SET unit = 'm3' WHERE id % 2 = 0;
-- after: 0005
UPDATE meters SET parent_id = 1 WHERE id > 5;
-- after: 0009
UPDATE readings SET count = count + 5 WHERE meter_id < 4;
