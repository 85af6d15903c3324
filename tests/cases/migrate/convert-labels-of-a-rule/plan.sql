-- 1 expand: the progress of backfills
-- runs      in one transaction
-- because   a backfill that is stopped goes on where it was; `UPDATE … SET paused = true` makes it rest
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE IF NOT EXISTS shop.pgproof_progress (
    step        text PRIMARY KEY,
    after       jsonb,
    rows        bigint NOT NULL DEFAULT 0,
    paused      boolean NOT NULL DEFAULT false,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
COMMIT;

-- 2 expand: type state beside the old one
-- runs      in one transaction
-- because   PostgreSQL cannot take a label out of an enum, nor move one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TYPE shop.state_new AS ENUM ('open', 'paid');
COMMENT ON TYPE shop.state_new IS 'where an order stands';
COMMIT;

-- 3 expand: a column beside orders.state
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN state_new shop.state_new;
COMMENT ON COLUMN shop.orders.state_new IS 'where it stands';
COMMIT;

-- 4 expand: keep both columns of orders.state the same
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_orders_state() RETURNS trigger LANGUAGE plpgsql SET search_path = shop, public, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.state_new := (SELECT CASE state WHEN 'new' THEN 'open' ELSE 'paid' END FROM (SELECT NEW.*) AS pgproof_row);
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_orders_state BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_orders_state();
COMMIT;

-- 5 backfill: fill orders.state_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     orders ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE state_new IS DISTINCT FROM (CASE state WHEN 'new' THEN 'open' ELSE 'paid' END)::shop.state_new LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DO $pgproof$
#variable_conflict use_column
DECLARE
    pgproof_after_1 integer;
    pgproof_upto_1 integer;
    pgproof_begun boolean;
    pgproof_since timestamptz;
    pgproof_written bigint;
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('orders.state_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.state_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id FROM shop.orders WHERE ROW(order_id) > ROW(pgproof_after_1) ORDER BY order_id LIMIT 5000) AS chunk
            ORDER BY order_id DESC LIMIT 1;
        ELSE
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id FROM shop.orders ORDER BY order_id LIMIT 5000) AS chunk
            ORDER BY order_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.orders SET state_new = (CASE state WHEN 'new' THEN 'open' ELSE 'paid' END)::shop.state_new
                WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) AND state_new IS DISTINCT FROM (CASE state WHEN 'new' THEN 'open' ELSE 'paid' END)::shop.state_new;
        ELSE
            UPDATE shop.orders SET state_new = (CASE state WHEN 'new' THEN 'open' ELSE 'paid' END)::shop.state_new
                WHERE ROW(order_id) <= ROW(pgproof_upto_1) AND state_new IS DISTINCT FROM (CASE state WHEN 'new' THEN 'open' ELSE 'paid' END)::shop.state_new;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'orders.state_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.state_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'orders.state_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 6 validate: refuse new nulls in orders.state
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_state_new_not_null_proof CHECK (state_new IS NOT NULL) NOT VALID;
COMMIT;

-- 7 validate: prove that orders.state has no nulls
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE state_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT orders_state_new_not_null_proof;
COMMIT;

-- 8 validate: make orders.state NOT NULL
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN state_new SET NOT NULL;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_state_new_not_null_proof;
COMMIT;

-- 9 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 10 switch: switch orders
-- runs      in one transaction
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
DROP TRIGGER pgproof_sync_orders_state ON shop.orders;
ALTER TABLE shop.orders
    ALTER COLUMN state DROP DEFAULT;
ALTER TYPE shop.state RENAME TO state_old;
ALTER TYPE shop.state_new RENAME TO state;
ALTER TABLE shop.orders
    RENAME COLUMN state TO state_old;
ALTER TABLE shop.orders
    RENAME COLUMN state_new TO state;
ALTER TABLE shop.orders
    ALTER COLUMN state_old DROP NOT NULL;
ALTER TABLE shop.orders
    ALTER COLUMN state SET DEFAULT 'open';
CREATE FUNCTION shop.pgproof_back_orders_state() RETURNS trigger LANGUAGE plpgsql SET search_path = shop, public, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.state_old := (SELECT CASE state WHEN 'open' THEN 'new' ELSE 'paid' END FROM (SELECT NEW.*) AS pgproof_row);
    EXCEPTION WHEN data_exception THEN
        NEW.state_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_orders_state BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_orders_state();
CREATE OR REPLACE FUNCTION shop.order_moves() RETURNS trigger
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
    WHEN 'open' THEN NEW.state::text IN ('paid')
    ELSE FALSE
  END) IS NOT TRUE THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'order-moves: a paid order is open again',
      CONSTRAINT = 'order_moves',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE FUNCTION shop.order_moves_start() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = shop, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF NEW.state::text NOT IN ('open') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'order-moves: a paid order is open again',
      CONSTRAINT = 'order_moves',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, customer_id, total FROM orders WHERE state = 'open';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;

-- 11 contract: drop the old column of orders.state
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_orders_state ON shop.orders;
DROP FUNCTION shop.pgproof_back_orders_state();
DROP FUNCTION shop.pgproof_sync_orders_state();
ALTER TABLE shop.orders
    DROP COLUMN state_old;
COMMIT;

-- 12 contract: drop the old type state
-- runs      in one transaction
-- forward   only: the columns that had it are gone
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TYPE shop.state_old;
COMMIT;

-- 13 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
