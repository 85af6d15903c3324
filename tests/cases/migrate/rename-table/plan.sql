-- 1 expand: rename table orders to purchase
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the view lets programs of the old version read and write as before
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    RENAME TO purchase;
CREATE VIEW shop.orders WITH (security_invoker = true) AS
    SELECT order_id, customer_id, state, total, note, placed_at, ends_at
    FROM shop.purchase;
GRANT SELECT, INSERT, UPDATE ON shop.orders TO clerk;
COMMIT;

-- 2 expand: rename primary key of purchase
-- runs      in one transaction
-- locks     purchase ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.purchase
    RENAME CONSTRAINT orders_pkey TO purchase_pkey;
COMMIT;

-- 3 contract: drop the view under the old name orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.orders;
COMMIT;
