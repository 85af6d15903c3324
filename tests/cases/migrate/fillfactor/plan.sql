-- 1 expand: storage parameters of orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    SET (fillfactor = 80);
COMMIT;
