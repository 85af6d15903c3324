-- 1 expand: rename statistics st_customer to st_customer_name
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER STATISTICS shop.st_customer RENAME TO st_customer_name;
COMMIT;

-- 2 expand: statistics st_log of log
-- runs      in one transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE STATISTICS shop.st_log (ndistinct)
    ON at, what FROM shop.log;
COMMIT;

-- 3 expand: statistics st_orders_new of orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE STATISTICS shop.st_orders_new (dependencies, ndistinct)
    ON customer_id, state FROM shop.orders;
COMMIT;

-- 4 validate: gather statistics of log
-- runs      outside a transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.log;

-- 5 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 6 contract: drop statistics st_line
-- runs      in one transaction
-- locks     line SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP STATISTICS IF EXISTS shop.st_line;
COMMIT;

-- 7 contract: statistics st_orders as they are now
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP STATISTICS IF EXISTS shop.st_orders;
ALTER STATISTICS shop.st_orders_new RENAME TO st_orders;
COMMIT;
