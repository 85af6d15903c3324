INSERT INTO country (code) SELECT 'A' || chr(65 + n) FROM generate_series(0, 9) AS n;
INSERT INTO city (city_id, code) SELECT n, 'A' || chr(65 + n % 10) FROM generate_series(1, 40) AS n;
