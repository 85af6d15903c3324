-- 1 validate: build index log_2026_01_uq_log_what_new on log_2026_01
-- runs      outside a transaction
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT number, what, at, count(*) FROM shop.log_2026_01
--               WHERE ROW(number, what, at) IS NOT NULL GROUP BY number, what, at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_01_uq_log_what_new;
CREATE UNIQUE INDEX CONCURRENTLY log_2026_01_uq_log_what_new
    ON shop.log_2026_01 (number, what, at);

-- 2 validate: build index log_2026_02_uq_log_what_new on log_2026_02
-- runs      outside a transaction
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT number, what, at, count(*) FROM shop.log_2026_02
--               WHERE ROW(number, what, at) IS NOT NULL GROUP BY number, what, at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_02_uq_log_what_new;
CREATE UNIQUE INDEX CONCURRENTLY log_2026_02_uq_log_what_new
    ON shop.log_2026_02 (number, what, at);

-- 3 switch: switch log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    DROP CONSTRAINT uq_log_what;
ALTER TABLE shop.log_2026_01
    ADD CONSTRAINT log_2026_01_uq_log_what UNIQUE USING INDEX log_2026_01_uq_log_what_new;
ALTER TABLE shop.log_2026_02
    ADD CONSTRAINT log_2026_02_uq_log_what UNIQUE USING INDEX log_2026_02_uq_log_what_new;
ALTER TABLE shop.log
    ADD CONSTRAINT uq_log_what UNIQUE (number, what, at);
COMMIT;
