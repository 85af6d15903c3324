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

-- 2 expand: a column beside orders.placed_at
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN placed_at_new timestamptz;
COMMENT ON COLUMN shop.orders.placed_at_new IS 'when';
COMMIT;

-- 3 expand: keep both columns of orders.placed_at the same
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of either version write their own column; a time without a zone is taken to be UTC, unless migration.convert says what it is
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_orders_placed_at() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.placed_at_new := (NEW.placed_at AT TIME ZONE 'UTC');
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_orders_placed_at BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_orders_placed_at();
COMMIT;

-- 4 backfill: fill orders.placed_at_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     orders ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE placed_at_new IS DISTINCT FROM (placed_at AT TIME ZONE 'UTC') LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('orders.placed_at_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.placed_at_new';
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
            UPDATE shop.orders SET placed_at_new = (placed_at AT TIME ZONE 'UTC')
                WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) AND placed_at_new IS DISTINCT FROM (placed_at AT TIME ZONE 'UTC');
        ELSE
            UPDATE shop.orders SET placed_at_new = (placed_at AT TIME ZONE 'UTC')
                WHERE ROW(order_id) <= ROW(pgproof_upto_1) AND placed_at_new IS DISTINCT FROM (placed_at AT TIME ZONE 'UTC');
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'orders.placed_at_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.placed_at_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'orders.placed_at_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: build index ix_orders_customer_new on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_customer_new;
CREATE INDEX CONCURRENTLY ix_orders_customer_new
    ON shop.orders (customer_id, placed_at_new DESC);

-- 6 validate: refuse new nulls in orders.placed_at
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_placed_at_new_not_null_proof CHECK (placed_at_new IS NOT NULL) NOT VALID;
COMMIT;

-- 7 validate: prove that orders.placed_at has no nulls
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE placed_at_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT orders_placed_at_new_not_null_proof;
COMMIT;

-- 8 validate: make orders.placed_at NOT NULL
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN placed_at_new SET NOT NULL;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_placed_at_new_not_null_proof;
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
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_orders_placed_at ON shop.orders;
ALTER TABLE shop.orders
    ALTER COLUMN placed_at DROP DEFAULT;
ALTER TABLE shop.orders
    RENAME COLUMN placed_at TO placed_at_old;
ALTER TABLE shop.orders
    RENAME COLUMN placed_at_new TO placed_at;
ALTER INDEX shop.ix_orders_customer RENAME TO ix_orders_customer_old;
ALTER INDEX shop.ix_orders_customer_new RENAME TO ix_orders_customer;
ALTER TABLE shop.orders
    ALTER COLUMN placed_at_old DROP NOT NULL;
ALTER TABLE shop.orders
    ALTER COLUMN placed_at SET DEFAULT now();
CREATE FUNCTION shop.pgproof_back_orders_placed_at() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.placed_at_old := (NEW.placed_at AT TIME ZONE 'UTC');
    EXCEPTION WHEN data_exception THEN
        NEW.placed_at_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_orders_placed_at BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_orders_placed_at();
COMMIT;

-- 11 contract: drop index ix_orders_customer_old of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- forward   only: another index has its place; the one before it is the new schema's
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_customer_old;

-- 12 contract: drop the old column of orders.placed_at
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_orders_placed_at ON shop.orders;
DROP FUNCTION shop.pgproof_back_orders_placed_at();
DROP FUNCTION shop.pgproof_sync_orders_placed_at();
ALTER TABLE shop.orders
    DROP COLUMN placed_at_old;
COMMIT;

-- 13 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
