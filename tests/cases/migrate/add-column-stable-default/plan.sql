-- 1 expand: add column orders.changed_at
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN shop.orders.changed_at IS 'when it changed';
COMMIT;
