-- 1 expand: let customer.tenant_id be null
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN tenant_id DROP NOT NULL;
COMMIT;
