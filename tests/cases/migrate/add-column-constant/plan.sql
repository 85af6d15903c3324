-- 1 expand: add column orders.channel
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN channel text NOT NULL DEFAULT 'web';
COMMENT ON COLUMN shop.orders.channel IS 'where from';
COMMIT;
