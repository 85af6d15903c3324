-- 1 expand: partition log_2026_03
-- runs      in one transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   CREATE TABLE … PARTITION OF would lock the whole table against readers and writers; attaching does not
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.log_2026_03 (LIKE shop.log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING GENERATED);
ALTER TABLE shop.log
    ATTACH PARTITION shop.log_2026_03
        FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
COMMIT;

-- 2 contract: drop index ix_log_what of log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP INDEX IF EXISTS shop.ix_log_what;
COMMIT;

-- 3 contract: detach partition log_2026_01
-- runs      outside a transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ALTER TABLE shop.log
    DETACH PARTITION shop.log_2026_01 CONCURRENTLY;

-- 4 contract: drop partition log_2026_01
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
