-- 1 expand: comment on orders.note
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
COMMENT ON COLUMN shop.orders.note IS 'what the customer said';
COMMIT;

-- 2 expand: comment on orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
COMMENT ON TABLE shop.orders IS 'one order, also one that was cancelled';
COMMIT;
