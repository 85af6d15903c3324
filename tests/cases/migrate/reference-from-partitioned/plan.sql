-- 1 expand: add column log.order_id
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD COLUMN order_id integer;
COMMENT ON COLUMN shop.log.order_id IS 'which';
COMMIT;

-- 2 validate: add reference fk_log_orders of log on log_2026_01
-- runs      in one transaction
-- locks     log_2026_01 SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   before 18 PostgreSQL refuses NOT VALID for a partitioned table; a proven key of each partition is taken over by the parent's
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log_2026_01
    ADD CONSTRAINT fk_log_orders FOREIGN KEY (order_id)
        REFERENCES shop.orders (order_id) ON DELETE CASCADE NOT VALID;
COMMIT;

-- 3 validate: validate reference fk_log_orders of log on log_2026_01
-- runs      in one transaction
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     orders ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT order_id FROM shop.log_2026_01 AS child WHERE child.order_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.orders AS parent WHERE parent.order_id = child.order_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log_2026_01
    VALIDATE CONSTRAINT fk_log_orders;
COMMIT;

-- 4 validate: add reference fk_log_orders of log on log_2026_02
-- runs      in one transaction
-- locks     log_2026_02 SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   before 18 PostgreSQL refuses NOT VALID for a partitioned table; a proven key of each partition is taken over by the parent's
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log_2026_02
    ADD CONSTRAINT fk_log_orders FOREIGN KEY (order_id)
        REFERENCES shop.orders (order_id) ON DELETE CASCADE NOT VALID;
COMMIT;

-- 5 validate: validate reference fk_log_orders of log on log_2026_02
-- runs      in one transaction
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     orders ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT order_id FROM shop.log_2026_02 AS child WHERE child.order_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.orders AS parent WHERE parent.order_id = child.order_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log_2026_02
    VALIDATE CONSTRAINT fk_log_orders;
COMMIT;

-- 6 validate: add reference fk_log_orders of log
-- runs      in one transaction
-- locks     log SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     log_2026_01 SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     log_2026_02 SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- check     this must return no row:
--           SELECT order_id FROM shop.log AS child WHERE child.order_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.orders AS parent WHERE parent.order_id = child.order_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD CONSTRAINT fk_log_orders FOREIGN KEY (order_id)
        REFERENCES shop.orders (order_id) ON DELETE CASCADE;
COMMIT;
