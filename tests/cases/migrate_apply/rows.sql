INSERT INTO shop.customer (customer_id, tenant_id, email, nick)
SELECT n, n % 3, 'c' || n || '@example.org', 'n' || n
FROM generate_series(1, 40) AS n;
INSERT INTO shop.orders (order_id, customer_id, state, total, note, placed_at)
SELECT n, 1 + n % 40, 'new', n + 0.25, CASE n % 3 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' END, '2026-01-01'::timestamptz + n * interval '1 hour'
FROM generate_series(1, 600) AS n;
INSERT INTO shop.line (order_id, number, amount)
SELECT 1 + n % 600, n, n
FROM generate_series(1, 900) AS n;
INSERT INTO shop.log (log_id, at, what)
SELECT n, '2026-01-01'::timestamptz + n * interval '4 hours', 'w' || n
FROM generate_series(1, 500) AS n;
