-- 1 validate: add reference fk_orders_same of orders
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT fk_orders_same FOREIGN KEY (order_id)
        REFERENCES shop.orders (order_id) ON DELETE RESTRICT NOT VALID;
COMMIT;

-- 2 validate: validate reference fk_orders_same of orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT order_id FROM shop.orders AS child WHERE child.order_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.orders AS parent WHERE parent.order_id = child.order_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT fk_orders_same;
COMMIT;
