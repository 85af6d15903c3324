-- 1 expand: let customer.tenant_id be left out
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   programs of the new version no longer write the column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN tenant_id DROP NOT NULL;
COMMIT;

-- 2 contract: drop column customer.tenant_id
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:customer.tenant_id: every value of customer.tenant_id is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP COLUMN tenant_id;
COMMIT;
