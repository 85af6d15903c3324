-- 1 switch: view emails
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE VIEW shop.emails WITH (security_invoker = true) AS
SELECT email FROM customer;
COMMENT ON VIEW shop.emails IS 'all';
COMMIT;
