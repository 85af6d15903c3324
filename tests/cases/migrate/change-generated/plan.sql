-- 1 expand: the new orders.twice
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, as long as all its rows take: everybody waits, who reads as well as who writes
-- HAZARD    rewrite:orders: a stored generated column is computed for every row while ACCESS EXCLUSIVE is held: readers and writers of orders wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN twice_new numeric(12,2) GENERATED ALWAYS AS (total * 3) STORED;
COMMENT ON COLUMN shop.orders.twice_new IS 'twice';
COMMIT;

-- 2 validate: statistics st_orders_new of orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE STATISTICS shop.st_orders_new (dependencies, mcv, ndistinct)
    ON state, twice_new FROM shop.orders;
COMMIT;

-- 3 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 4 switch: switch orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    RENAME COLUMN twice TO twice_old;
ALTER TABLE shop.orders
    RENAME COLUMN twice_new TO twice;
COMMIT;

-- 5 contract: statistics st_orders as they are now
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP STATISTICS IF EXISTS shop.st_orders;
ALTER STATISTICS shop.st_orders_new RENAME TO st_orders;
COMMIT;

-- 6 contract: drop the old column of orders.twice
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP COLUMN twice_old;
COMMIT;
