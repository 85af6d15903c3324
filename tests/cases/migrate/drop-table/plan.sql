-- 1 contract: drop reference fk_line_orders of line
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    DROP CONSTRAINT fk_line_orders;
COMMIT;

-- 2 contract: drop table line
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:line: every row of line is gone
-- forward   only: the rows are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE shop.line;
COMMIT;

-- 3 contract: drop type cents
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP DOMAIN shop.cents;
COMMIT;
