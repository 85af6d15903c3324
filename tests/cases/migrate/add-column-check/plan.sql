-- 1 expand: add column orders.rebate
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN rebate integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN shop.orders.rebate IS 'taken off';
COMMIT;

-- 2 validate: add check ck_orders_rebate of orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT ck_orders_rebate CHECK (rebate >= 0) NOT VALID;
COMMIT;

-- 3 validate: validate check ck_orders_rebate of orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE NOT (rebate >= 0) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT ck_orders_rebate;
COMMIT;
