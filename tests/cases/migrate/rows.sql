INSERT INTO customer (customer_id, tenant_id, email, nick)
SELECT n, n % 3, 'c' || n || '@example.org', CASE WHEN n % 2 = 0 THEN 'n' || n END
FROM generate_series(1, 40) AS n;
INSERT INTO orders (order_id, customer_id, state, total, note, placed_at)
SELECT n, 1 + n % 40, 'new', n, CASE n % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' END, '2026-01-01'::timestamptz + n * interval '1 hour'
FROM generate_series(1, 60) AS n;
UPDATE orders SET state = 'paid' WHERE order_id % 4 = 0;
INSERT INTO line (order_id, number, amount)
SELECT 1 + n % 60, n, n
FROM generate_series(1, 100) AS n;
INSERT INTO log (log_id, at, what)
SELECT n, '2026-01-01'::timestamptz + n * interval '20 hours', 'w' || n
FROM generate_series(1, 50) AS n;
