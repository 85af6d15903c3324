-- 1 expand: rename check ck_orders_total to ck_orders_sum
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    RENAME CONSTRAINT ck_orders_total TO ck_orders_sum;
COMMIT;
