-- 1 expand: add column customer.tags
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD COLUMN tags jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN shop.customer.tags IS 'tags';
COMMIT;

-- 2 expand: build index ix_customer_tags on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_customer_tags;
CREATE INDEX CONCURRENTLY ix_customer_tags
    ON shop.customer USING gin (tags);

-- 3 expand: build index ix_customer_tenant on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_customer_tenant;
CREATE INDEX CONCURRENTLY ix_customer_tenant
    ON shop.customer (tenant_id) INCLUDE (email);
