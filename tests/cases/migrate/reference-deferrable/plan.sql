-- 1 switch: when reference fk_line_orders of line is judged
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ALTER CONSTRAINT fk_line_orders DEFERRABLE INITIALLY DEFERRED;
COMMIT;
