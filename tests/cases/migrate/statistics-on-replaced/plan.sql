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

-- 2 expand: a column beside orders.note
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN note_new shop.state;
COMMENT ON COLUMN shop.orders.note_new IS 'what was said';
COMMIT;

-- 3 expand: keep both columns of orders.note the same
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_orders_note() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.note_new := NEW.note::shop.state;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_orders_note BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_orders_note();
COMMIT;

-- 4 backfill: fill orders.note_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     orders ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE note_new IS DISTINCT FROM note::shop.state LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('orders.note_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.note_new';
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
            UPDATE shop.orders SET note_new = note::shop.state
                WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) AND note_new IS DISTINCT FROM note::shop.state;
        ELSE
            UPDATE shop.orders SET note_new = note::shop.state
                WHERE ROW(order_id) <= ROW(pgproof_upto_1) AND note_new IS DISTINCT FROM note::shop.state;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'orders.note_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.note_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'orders.note_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: statistics st_orders_new of orders
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE STATISTICS shop.st_orders_new (dependencies, mcv, ndistinct)
    ON customer_id, note_new, state FROM shop.orders;
COMMIT;

-- 6 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 7 switch: switch orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_orders_note ON shop.orders;
ALTER TABLE shop.orders
    RENAME COLUMN note TO note_old;
ALTER TABLE shop.orders
    RENAME COLUMN note_new TO note;
CREATE FUNCTION shop.pgproof_back_orders_note() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.note_old := NEW.note::text;
    EXCEPTION WHEN data_exception THEN
        NEW.note_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_orders_note BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_orders_note();
COMMIT;

-- 8 contract: statistics st_orders as they are now
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP STATISTICS IF EXISTS shop.st_orders;
ALTER STATISTICS shop.st_orders_new RENAME TO st_orders;
COMMIT;

-- 9 contract: drop the old column of orders.note
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_orders_note ON shop.orders;
DROP FUNCTION shop.pgproof_back_orders_note();
DROP FUNCTION shop.pgproof_sync_orders_note();
ALTER TABLE shop.orders
    DROP COLUMN note_old;
COMMIT;

-- 10 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
