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

-- 2 expand: build index ix_log_what on log
-- runs      in one transaction
-- locks     log SHARE, an instant: everybody waits who writes; reading goes on
-- because   PostgreSQL refuses CONCURRENTLY on a partitioned table, so each partition builds its own; the parent's is invalid until all are attached
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE INDEX ix_log_what
    ON ONLY shop.log (what);
COMMIT;

-- 3 expand: build index ix_log_what on log_2026_01
-- runs      outside a transaction
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_01_ix_log_what;
CREATE INDEX CONCURRENTLY log_2026_01_ix_log_what
    ON shop.log_2026_01 (what);

-- 4 expand: attach the index of log_2026_01
-- runs      in one transaction
-- because   the parent's index goes with all that is attached to it
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER INDEX shop.ix_log_what ATTACH PARTITION shop.log_2026_01_ix_log_what;
COMMIT;

-- 5 expand: build index ix_log_what on log_2026_02
-- runs      outside a transaction
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_02_ix_log_what;
CREATE INDEX CONCURRENTLY log_2026_02_ix_log_what
    ON shop.log_2026_02 (what);

-- 6 expand: attach the index of log_2026_02
-- runs      in one transaction
-- because   the parent's index goes with all that is attached to it
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER INDEX shop.ix_log_what ATTACH PARTITION shop.log_2026_02_ix_log_what;
COMMIT;

-- 7 expand: build index ix_log_what on log_2026_03
-- runs      outside a transaction
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_03_ix_log_what;
CREATE INDEX CONCURRENTLY log_2026_03_ix_log_what
    ON shop.log_2026_03 (what);

-- 8 expand: attach the index of log_2026_03
-- runs      in one transaction
-- because   the parent's index goes with all that is attached to it
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER INDEX shop.ix_log_what ATTACH PARTITION shop.log_2026_03_ix_log_what;
COMMIT;
