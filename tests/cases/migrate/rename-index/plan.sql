-- 1 expand: rename index ix_orders_customer to ix_orders_buyer
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER INDEX shop.ix_orders_customer RENAME TO ix_orders_buyer;
COMMIT;
