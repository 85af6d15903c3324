-- 1 switch: replace function orders_move_forward
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE OR REPLACE FUNCTION shop.orders_move_forward() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = shop, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF NEW.state::text IS NOT DISTINCT FROM OLD.state::text THEN
    RETURN NEW;
  END IF;
  IF (CASE OLD.state::text
    WHEN 'new' THEN NEW.state::text IN ('paid')
    WHEN 'paid' THEN NEW.state::text IN ('sent', 'new')
    ELSE FALSE
  END) IS NOT TRUE THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'orders-move-forward: an order skips a state',
      CONSTRAINT = 'orders_move_forward',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;
COMMIT;
