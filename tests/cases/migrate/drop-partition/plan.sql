-- 1 contract: detach partition log_2026_01
-- runs      outside a transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ALTER TABLE shop.log
    DETACH PARTITION shop.log_2026_01 CONCURRENTLY;

-- 2 contract: drop partition log_2026_01
-- runs      in one transaction
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:log_2026_01: every row of log_2026_01 is gone
-- forward   only: the rows are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE shop.log_2026_01;
COMMIT;
