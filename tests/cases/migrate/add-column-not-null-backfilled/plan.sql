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

-- 2 expand: add column orders.channel
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN channel text;
COMMENT ON COLUMN shop.orders.channel IS 'where from';
COMMIT;

-- 3 backfill: fill orders as the design says
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     orders ROW EXCLUSIVE, a chunk of 7 rows at a time: nobody waits who reads or writes rows; DDL waits
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
    pgproof_seen bigint;
    pgproof_tries integer := 0;
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('orders') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id, row_number() OVER (ORDER BY order_id) AS pgproof_number, lead(order_id) OVER (ORDER BY order_id) AS pgproof_next
                FROM (SELECT order_id FROM shop.orders WHERE ROW(order_id) > ROW(pgproof_after_1) ORDER BY order_id LIMIT 8) AS found) AS chunk
            ORDER BY pgproof_number <= 7 AND pgproof_next IS DISTINCT FROM order_id DESC, order_id DESC LIMIT 1;
        ELSE
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id, row_number() OVER (ORDER BY order_id) AS pgproof_number, lead(order_id) OVER (ORDER BY order_id) AS pgproof_next
                FROM (SELECT order_id FROM shop.orders ORDER BY order_id LIMIT 8) AS found) AS chunk
            ORDER BY pgproof_number <= 7 AND pgproof_next IS DISTINCT FROM order_id DESC, order_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            PERFORM FROM shop.orders WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE orders SET channel = 'shop' WHERE order_id IN (SELECT order_id FROM orders WHERE order_id <= pgproof_upto_1 AND order_id > pgproof_after_1 ORDER BY order_id LIMIT 7);
        ELSE
            PERFORM FROM shop.orders WHERE ROW(order_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE orders SET channel = 'shop' WHERE order_id IN (SELECT order_id FROM orders WHERE order_id <= pgproof_upto_1 AND order_id > ((-2147483648)::integer) ORDER BY order_id LIMIT 7);
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        -- Rows that came into the chunk meanwhile have pushed its last ones out of the statement's LIMIT: the same chunk again, cut anew.
        IF pgproof_begun THEN
            SELECT count(*) INTO pgproof_seen FROM shop.orders WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1);
        ELSE
            SELECT count(*) INTO pgproof_seen FROM shop.orders WHERE ROW(order_id) <= ROW(pgproof_upto_1);
        END IF;
        IF pgproof_seen > 7 THEN
            pgproof_tries := pgproof_tries + 1;
            IF pgproof_tries > 20 THEN
                RAISE EXCEPTION 'more than % rows of % share one value of the key by which the backfill is cut: give it larger chunks, or another key', 7, 'orders';
            END IF;
            COMMIT;
            CONTINUE;
        END IF;
        pgproof_tries := 0;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'orders';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 1 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'orders';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 4 validate: refuse new nulls in orders.channel
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_channel_not_null_proof CHECK (channel IS NOT NULL) NOT VALID;
COMMIT;

-- 5 validate: prove that orders.channel has no nulls
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE channel IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT orders_channel_not_null_proof;
COMMIT;

-- 6 validate: make orders.channel NOT NULL
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN channel SET NOT NULL;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_channel_not_null_proof;
COMMIT;

-- 7 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 8 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
