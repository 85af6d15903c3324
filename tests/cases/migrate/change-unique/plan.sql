-- 1 validate: build index uq_customer_email_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT tenant_id, email, count(*) FROM shop.customer
--               WHERE ROW(tenant_id, email) IS NOT NULL GROUP BY tenant_id, email HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_email_new;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_email_new
    ON shop.customer (tenant_id, email);

-- 2 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP CONSTRAINT uq_customer_email;
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_email UNIQUE USING INDEX uq_customer_email_new;
COMMIT;
