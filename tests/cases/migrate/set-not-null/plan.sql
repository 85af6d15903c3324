-- 1 validate: refuse new nulls in customer.nick
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT customer_nick_not_null_proof CHECK (nick IS NOT NULL) NOT VALID;
COMMIT;

-- 2 validate: prove that customer.nick has no nulls
-- runs      in one transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE nick IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    VALIDATE CONSTRAINT customer_nick_not_null_proof;
COMMIT;

-- 3 validate: make customer.nick NOT NULL
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN nick SET NOT NULL;
ALTER TABLE shop.customer
    DROP CONSTRAINT customer_nick_not_null_proof;
COMMIT;
