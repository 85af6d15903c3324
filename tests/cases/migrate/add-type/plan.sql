-- 1 expand: type rank
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TYPE shop.rank AS ENUM ('low', 'high');
COMMENT ON TYPE shop.rank IS 'how soon';
COMMIT;
