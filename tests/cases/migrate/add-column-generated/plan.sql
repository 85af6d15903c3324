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
