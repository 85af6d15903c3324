-- 1 expand: grant to clerk on line
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
GRANT SELECT ON shop.line TO clerk;
COMMIT;

-- 2 expand: grant to clerk on orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
GRANT DELETE ON shop.orders TO clerk;
COMMIT;

-- 3 contract: revoke from clerk on orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
REVOKE UPDATE ON shop.orders FROM clerk;
COMMIT;
