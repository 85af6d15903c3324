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

-- 2 switch: switch orders
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

-- 3 contract: drop the old column of orders.twice
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
