-- 1 switch: drop trigger orders_move_forward of orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER orders_move_forward ON shop.orders;
COMMIT;

-- 2 switch: drop trigger orders_move_forward_start of orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER orders_move_forward_start ON shop.orders;
COMMIT;

-- 3 contract: drop function orders_move_forward
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP ROUTINE shop.orders_move_forward;
COMMIT;

-- 4 contract: drop function orders_move_forward_start
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP ROUTINE shop.orders_move_forward_start;
COMMIT;
