-- 1 expand: drop reference fk_orders_customer of orders
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP CONSTRAINT fk_orders_customer;
COMMIT;
