-- 1 validate: add unique uq_customer_email of customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the index that is there becomes the constraint's; nothing is built
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_email UNIQUE USING INDEX uq_customer_email;
COMMIT;
