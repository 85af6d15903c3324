-- 1 validate: build index log_2026_01_uq_log_what on log_2026_01
-- runs      outside a transaction
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT what, at, count(*) FROM shop.log_2026_01
--               WHERE ROW(what, at) IS NOT NULL GROUP BY what, at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_01_uq_log_what;
CREATE UNIQUE INDEX CONCURRENTLY log_2026_01_uq_log_what
    ON shop.log_2026_01 (what, at);

-- 2 validate: add unique log_2026_01_uq_log_what of log_2026_01
-- runs      in one transaction
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the parent's constraint takes over those of its partitions
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log_2026_01
    ADD CONSTRAINT log_2026_01_uq_log_what UNIQUE USING INDEX log_2026_01_uq_log_what;
COMMIT;

-- 3 validate: build index log_2026_02_uq_log_what on log_2026_02
-- runs      outside a transaction
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT what, at, count(*) FROM shop.log_2026_02
--               WHERE ROW(what, at) IS NOT NULL GROUP BY what, at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_02_uq_log_what;
CREATE UNIQUE INDEX CONCURRENTLY log_2026_02_uq_log_what
    ON shop.log_2026_02 (what, at);

-- 4 validate: add unique log_2026_02_uq_log_what of log_2026_02
-- runs      in one transaction
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the parent's constraint takes over those of its partitions
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log_2026_02
    ADD CONSTRAINT log_2026_02_uq_log_what UNIQUE USING INDEX log_2026_02_uq_log_what;
COMMIT;

-- 5 validate: add unique uq_log_what of log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 SHARE, an instant: everybody waits who writes; reading goes on
-- locks     log_2026_02 SHARE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD CONSTRAINT uq_log_what UNIQUE (what, at);
COMMIT;
