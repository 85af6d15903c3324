-- 1 expand: add column customer.deleted_at
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD COLUMN deleted_at timestamptz;
COMMENT ON COLUMN shop.customer.deleted_at IS 'since when no more';
COMMIT;

-- 2 validate: build index uq_customer_email_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_email_new;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_email_new
    ON shop.customer (email)
    WHERE deleted_at is null;

-- 3 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP CONSTRAINT uq_customer_email;
ALTER INDEX shop.uq_customer_email_new RENAME TO uq_customer_email;
COMMIT;
