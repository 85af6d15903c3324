-- 1 contract: drop index ix_orders_quiet of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_quiet;

-- 2 contract: drop statistics st_orders_quiet
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP STATISTICS IF EXISTS shop.st_orders_quiet;
COMMIT;

-- 3 contract: drop column orders.is_quiet
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP COLUMN is_quiet;
COMMIT;
