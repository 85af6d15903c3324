-- 1 expand: default of orders.twice
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: a column that was not generated cannot become so; add one that is
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN twice DROP EXPRESSION;
COMMIT;
