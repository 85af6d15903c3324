-- 1 expand: extension citext
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL search_path = public;
CREATE EXTENSION IF NOT EXISTS citext;
COMMIT;

-- 2 expand: add column customer.alias
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD COLUMN alias citext;
COMMENT ON COLUMN shop.customer.alias IS 'another name';
COMMIT;

-- 3 validate: build index uq_customer_alias on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT alias, count(*) FROM shop.customer
--               WHERE ROW(alias) IS NOT NULL GROUP BY alias HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_alias;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_alias
    ON shop.customer (alias);

-- 4 validate: add unique uq_customer_alias of customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_alias UNIQUE USING INDEX uq_customer_alias;
COMMIT;
