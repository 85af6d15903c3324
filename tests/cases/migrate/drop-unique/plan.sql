-- 1 switch: drop unique uq_customer_email of customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP CONSTRAINT uq_customer_email;
COMMIT;
