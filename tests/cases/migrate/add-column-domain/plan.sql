-- 1 expand: add column orders.fee
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, as long as all its rows take: everybody waits, who reads as well as who writes
-- HAZARD    rewrite:orders: a column of a domain with conditions is computed for every row under ACCESS EXCLUSIVE
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN fee shop.cents;
COMMENT ON COLUMN shop.orders.fee IS 'a fee';
COMMIT;
