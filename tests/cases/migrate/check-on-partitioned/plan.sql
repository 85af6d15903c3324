-- 1 validate: add check ck_log_what of log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD CONSTRAINT ck_log_what CHECK (what <> '') NOT VALID;
COMMIT;

-- 2 validate: validate check ck_log_what of log
-- runs      in one transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.log WHERE NOT (what <> '') LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    VALIDATE CONSTRAINT ck_log_what;
COMMIT;
