-- 1 validate: build index uq_orders_once on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT customer_id, placed_at, count(*) FROM shop.orders
--               WHERE ROW(customer_id, placed_at) IS NOT NULL GROUP BY customer_id, placed_at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_orders_once;
CREATE UNIQUE INDEX CONCURRENTLY uq_orders_once
    ON shop.orders (customer_id, placed_at);

-- 2 validate: add unique uq_orders_once of orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT uq_orders_once UNIQUE USING INDEX uq_orders_once;
COMMIT;
