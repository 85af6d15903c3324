-- 1 expand: function orders_move_forward
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE FUNCTION shop.orders_move_forward() RETURNS trigger
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
    WHEN 'paid' THEN NEW.state::text IN ('sent')
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

-- 2 expand: function orders_move_forward_start
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE FUNCTION shop.orders_move_forward_start() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = shop, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF NEW.state::text NOT IN ('new') THEN
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

-- 3 validate: add trigger orders_move_forward of orders
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TRIGGER orders_move_forward
    BEFORE UPDATE ON shop.orders
    FOR EACH ROW
    EXECUTE FUNCTION shop.orders_move_forward();
COMMIT;

-- 4 validate: add trigger orders_move_forward_start of orders
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TRIGGER orders_move_forward_start
    BEFORE INSERT ON shop.orders
    FOR EACH ROW
    EXECUTE FUNCTION shop.orders_move_forward_start();
COMMIT;
