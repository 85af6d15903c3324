-- 1 validate: change condition cents_check of domain cents
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER DOMAIN shop.cents DROP CONSTRAINT cents_check;
ALTER DOMAIN shop.cents ADD CONSTRAINT cents_check CHECK (value >= -5) NOT VALID;
COMMIT;

-- 2 validate: validate condition cents_check of domain cents
-- runs      in one transaction
-- locks     line SHARE, as long as all its rows take: everybody waits who writes; reading goes on
-- HAZARD    stop:cents: every table with a column of the domain is read under SHARE: writers of all of them wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER DOMAIN shop.cents VALIDATE CONSTRAINT cents_check;
COMMIT;
