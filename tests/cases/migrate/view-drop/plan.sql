-- 1 contract: drop view open_orders
-- runs      in one transaction
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
COMMIT;
