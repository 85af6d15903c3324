-- 1 validate: build index customer_pkey_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT tenant_id, customer_id, count(*) FROM shop.customer
--               WHERE ROW(tenant_id, customer_id) IS NOT NULL GROUP BY tenant_id, customer_id HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.customer_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY customer_pkey_new
    ON shop.customer (tenant_id, customer_id);

-- 2 validate: build index uq_customer_id on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT customer_id, count(*) FROM shop.customer
--               WHERE ROW(customer_id) IS NOT NULL GROUP BY customer_id HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_id;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_id
    ON shop.customer (customer_id);

-- 3 validate: add unique uq_customer_id of customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_id UNIQUE USING INDEX uq_customer_id;
COMMIT;

-- 4 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP CONSTRAINT fk_orders_customer;
ALTER TABLE shop.customer
    DROP CONSTRAINT customer_pkey;
ALTER TABLE shop.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY USING INDEX customer_pkey_new;
ALTER TABLE shop.orders
    ADD CONSTRAINT fk_orders_customer FOREIGN KEY (customer_id)
        REFERENCES shop.customer (customer_id) ON DELETE RESTRICT NOT VALID;
COMMIT;

-- 5 switch: prove fk_orders_customer of orders again
-- runs      in one transaction
-- locks     customer ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT fk_orders_customer;
COMMIT;
