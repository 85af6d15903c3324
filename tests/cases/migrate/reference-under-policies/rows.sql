INSERT INTO visit (visit_id, tenant_id, customer_id) SELECT n, n % 3, 1 + n % 40 FROM generate_series(1, 30) AS n;
