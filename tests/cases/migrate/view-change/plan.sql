-- 1 switch: switch open_orders
-- runs      in one transaction
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, customer_id, total, placed_at FROM orders WHERE state <> 'sent';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;
