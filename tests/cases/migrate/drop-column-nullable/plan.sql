-- 1 switch: switch orders
-- runs      in one transaction
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, customer_id, total FROM orders WHERE state = 'new';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;

-- 2 contract: drop column orders.note
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:orders.note: every value of orders.note is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP COLUMN note;
COMMIT;
