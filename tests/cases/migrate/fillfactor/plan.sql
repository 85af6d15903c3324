-- 1 expand: storage parameters of orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    SET (fillfactor = 80);
COMMIT;
