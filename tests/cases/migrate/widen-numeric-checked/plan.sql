-- 1 switch: switch orders
-- runs      in one transaction
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
ALTER TABLE shop.orders
    DROP CONSTRAINT ck_orders_total;
ALTER TABLE shop.orders
    ALTER COLUMN total TYPE numeric(14,2);
ALTER TABLE shop.orders
    ADD CONSTRAINT ck_orders_total CHECK (total >= 0) NOT VALID;
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, customer_id, total FROM orders WHERE state = 'new';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;

-- 2 switch: prove ck_orders_total of orders again
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT ck_orders_total;
COMMIT;
