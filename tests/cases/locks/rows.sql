INSERT INTO customers (id, email, name, short, net, made, seen, amount, level, size, ref, mood, nick)
SELECT i, 'e' || i, 'n' || i, 'abcd', '10.0.0.0/8', '2024-01-01', '2024-01-01', i, i, 1, 'r' || i, 'calm', 'k' FROM generate_series(1, 2000) i;
INSERT INTO orders (id, customer_id, buyer, total, note, memo, quantity, state, tag)
SELECT i, i, i, i, 'n', 'm', 1, 's' || i % 5, i FROM generate_series(1, 2000) i;
INSERT INTO items SELECT i, 1, 'w', 1 FROM generate_series(1, 2000) i;
INSERT INTO keyless SELECT i, i, 'c', i FROM generate_series(1, 2000) i;
INSERT INTO refs SELECT i, 'n' FROM generate_series(1, 2000) i;
INSERT INTO events SELECT i, d, 'w', i FROM generate_series(1, 2000) i, (VALUES (DATE '2024-06-01'), (DATE '2025-06-01'), (DATE '2030-06-01')) v(d);
INSERT INTO measures SELECT i, d, 'w' FROM generate_series(1, 2000) i, (VALUES (DATE '2024-06-01'), (DATE '2025-06-01')) v(d);
INSERT INTO measures_2026 SELECT i, '2026-06-01', 'w' FROM generate_series(1, 2000) i;
INSERT INTO measures_2027 SELECT i, '2027-06-01', 'w' FROM generate_series(1, 2000) i;
INSERT INTO kinds SELECT 'a', i FROM generate_series(1, 2000) i;
INSERT INTO kinds_b SELECT 'b', i FROM generate_series(1, 2000) i;
INSERT INTO parents SELECT i, 'b' FROM generate_series(1, 2000) i;
INSERT INTO children SELECT i, 'b' FROM generate_series(1, 2000) i;
INSERT INTO loose SELECT i, 'b' FROM generate_series(1, 2000) i;
INSERT INTO drafts SELECT i, 'v' FROM generate_series(1, 2000) i;
INSERT INTO attic.old SELECT i, 'v' FROM generate_series(1, 2000) i;
REFRESH MATERIALIZED VIEW order_stats;
REFRESH MATERIALIZED VIEW plain_stats;
