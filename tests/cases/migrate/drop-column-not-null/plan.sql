-- 1 validate: build index ix_orders_customer_new on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_customer_new;
CREATE INDEX CONCURRENTLY ix_orders_customer_new
    ON shop.orders (customer_id);

-- 2 switch: switch orders
-- runs      in one transaction
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER INDEX shop.ix_orders_customer RENAME TO ix_orders_customer_old;
ALTER INDEX shop.ix_orders_customer_new RENAME TO ix_orders_customer;
COMMIT;

-- 3 contract: drop index ix_orders_customer_old of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- forward   only: another index has its place; the one before it is the new schema's
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_customer_old;

-- 4 contract: drop column orders.placed_at
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:orders.placed_at: every value of orders.placed_at is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP COLUMN placed_at;
COMMIT;
