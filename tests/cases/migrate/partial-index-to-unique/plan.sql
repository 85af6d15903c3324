-- 1 validate: build index uq_customer_email_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT email, count(*) FROM shop.customer
--               WHERE ROW(email) IS NOT NULL GROUP BY email HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_email_new;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_email_new
    ON shop.customer (email);

-- 2 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER INDEX shop.uq_customer_email RENAME TO uq_customer_email_old;
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_email UNIQUE USING INDEX uq_customer_email_new;
COMMIT;

-- 3 contract: drop index uq_customer_email_old of customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- forward   only: another index has its place; the one before it is the new schema's
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_email_old;

-- 4 contract: drop column customer.deleted_at
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:customer.deleted_at: every value of customer.deleted_at is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP COLUMN deleted_at;
COMMIT;
