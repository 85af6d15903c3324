-- 1 switch: replace function half
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE OR REPLACE FUNCTION half(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT x / 3 $$;
COMMIT;
