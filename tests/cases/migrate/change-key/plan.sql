-- 1 validate: build index line_pkey_new on line
-- runs      outside a transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT number, order_id, count(*) FROM shop.line
--               WHERE ROW(number, order_id) IS NOT NULL GROUP BY number, order_id HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.line_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY line_pkey_new
    ON shop.line (number, order_id);

-- 2 switch: switch line
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    DROP CONSTRAINT line_pkey;
ALTER TABLE shop.line
    ADD CONSTRAINT line_pkey PRIMARY KEY USING INDEX line_pkey_new;
COMMIT;
