-- 1 expand: grant to auditor on customer
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
GRANT SELECT ON shop.customer TO auditor;
COMMIT;

-- 2 expand: grant to clerk on line
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
GRANT SELECT ON shop.line TO clerk;
COMMIT;

-- 3 expand: grant to auditor on orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
GRANT SELECT, INSERT ON shop.orders TO auditor;
COMMIT;

-- 4 expand: grant to auditor on open_orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
GRANT SELECT ON shop.open_orders TO auditor;
COMMIT;

-- 5 contract: revoke from clerk on customer
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
REVOKE SELECT ON shop.customer FROM clerk;
COMMIT;

-- 6 contract: revoke from auditor on line
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
REVOKE SELECT ON shop.line FROM auditor;
COMMIT;

-- 7 contract: revoke from clerk on orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
REVOKE SELECT, INSERT ON shop.orders FROM clerk;
COMMIT;

-- 8 contract: revoke from clerk on open_orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
REVOKE SELECT ON shop.open_orders FROM clerk;
COMMIT;
