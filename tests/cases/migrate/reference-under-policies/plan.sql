-- 1 validate: add reference fk_visit_customer of visit
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     visit SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.visit
    ADD CONSTRAINT fk_visit_customer FOREIGN KEY (customer_id)
        REFERENCES shop.customer (customer_id) ON DELETE RESTRICT NOT VALID;
COMMIT;

-- 2 validate: validate reference fk_visit_customer of visit
-- runs      in one transaction
-- role      one with BYPASSRLS that may do what the owner may: policies would hide rows from the owner itself
-- locks     customer ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- locks     visit SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT customer_id FROM shop.visit AS child WHERE child.customer_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.customer AS parent WHERE parent.customer_id = child.customer_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL row_security = off;
ALTER TABLE shop.visit
    VALIDATE CONSTRAINT fk_visit_customer;
COMMIT;
