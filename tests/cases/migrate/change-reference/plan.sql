-- 1 validate: add reference fk_orders_customer of orders
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT fk_orders_customer_new FOREIGN KEY (customer_id)
        REFERENCES shop.customer (customer_id) ON DELETE CASCADE NOT VALID;
COMMIT;

-- 2 validate: validate reference fk_orders_customer of orders
-- runs      in one transaction
-- locks     customer ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT customer_id FROM shop.orders AS child WHERE child.customer_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.customer AS parent WHERE parent.customer_id = child.customer_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT fk_orders_customer_new;
COMMIT;

-- 3 switch: switch orders
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP CONSTRAINT fk_orders_customer;
ALTER TABLE shop.orders
    RENAME CONSTRAINT fk_orders_customer_new TO fk_orders_customer;
COMMIT;
