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

-- 2 expand: partition log_2026_04
-- runs      in one transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   CREATE TABLE … PARTITION OF would lock the whole table against readers and writers; attaching does not
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.log_2026_04 (LIKE shop.log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING GENERATED);
ALTER TABLE shop.log
    ATTACH PARTITION shop.log_2026_04
        FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
COMMIT;
