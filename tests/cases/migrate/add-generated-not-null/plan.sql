-- 1 expand: add column orders.twice
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, as long as all its rows take: everybody waits, who reads as well as who writes
-- because   PostgreSQL knows no other way to add a stored generated column
-- HAZARD    rewrite:orders: a stored generated column is computed for every row while ACCESS EXCLUSIVE is held: readers and writers of orders wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN twice numeric(12,2) GENERATED ALWAYS AS (total * 2) STORED;
COMMENT ON COLUMN shop.orders.twice IS 'twice';
COMMIT;

-- 2 validate: refuse new nulls in orders.twice
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_twice_not_null_proof CHECK (twice IS NOT NULL) NOT VALID;
COMMIT;

-- 3 validate: prove that orders.twice has no nulls
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE twice IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT orders_twice_not_null_proof;
COMMIT;

-- 4 validate: make orders.twice NOT NULL
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN twice SET NOT NULL;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_twice_not_null_proof;
COMMIT;
