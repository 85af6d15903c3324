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

-- 2 expand: table buyer
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.buyer (
    order_id    integer NOT NULL,
    customer_id bigint  NOT NULL,
    CONSTRAINT buyer_pkey PRIMARY KEY (order_id, customer_id)
);
COMMENT ON TABLE shop.buyer IS 'one customer of one order';
COMMENT ON COLUMN shop.buyer.order_id IS 'the order';
COMMENT ON COLUMN shop.buyer.customer_id IS 'who ordered';
CREATE INDEX ix_buyer_customer
    ON shop.buyer (customer_id);
COMMIT;

-- 3 expand: reference fk_buyer_customer of the new table buyer
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.buyer
    ADD CONSTRAINT fk_buyer_customer FOREIGN KEY (customer_id)
        REFERENCES shop.customer (customer_id) ON DELETE RESTRICT;
COMMIT;

-- 4 expand: let orders.customer_id be left out
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   programs of the new version no longer write the column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN customer_id DROP NOT NULL;
COMMIT;

-- 5 expand: drop reference fk_orders_customer of orders
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP CONSTRAINT fk_orders_customer;
COMMIT;

-- 6 expand: build index ix_orders_placed on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_placed;
CREATE INDEX CONCURRENTLY ix_orders_placed
    ON shop.orders (placed_at DESC);

-- 7 expand: take what is deleted from orders out of its new place
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version go on writing it until they are gone
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_dual_delete_orders() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, public, pg_temp AS $pgproof$
BEGIN
    DELETE FROM buyer WHERE order_id = OLD.order_id;
    RETURN NULL;
END
$pgproof$;
CREATE TRIGGER pgproof_dual_delete_orders AFTER DELETE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_dual_delete_orders();
COMMIT;

-- 8 expand: bring what is written to orders to its new place
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version go on writing it until they are gone
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_dual_orders() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, public, pg_temp AS $pgproof$
BEGIN
    -- What this does not stand on, and what a program of the new version has given itself, stays as it is.
    IF TG_OP = 'UPDATE' AND (NOT (NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.customer_id IS DISTINCT FROM OLD.customer_id)) THEN
        RETURN NULL;
    END IF;
    -- Only programs of the new version insert such a row.
    IF TG_OP = 'INSERT' AND (NEW.customer_id IS NULL) THEN
        RETURN NULL;
    END IF;
    DELETE FROM buyer WHERE order_id = NEW.order_id AND customer_id <> NEW.customer_id;
    INSERT INTO buyer VALUES (NEW.order_id, NEW.customer_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$pgproof$;
CREATE TRIGGER pgproof_dual_orders AFTER INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_dual_orders();
COMMIT;

-- 9 backfill: fill buyer as the design says
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('buyer') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'buyer';
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
            INSERT INTO buyer SELECT order_id, customer_id FROM orders WHERE order_id <= pgproof_upto_1 AND order_id > pgproof_after_1 ORDER BY order_id LIMIT 7 ON CONFLICT DO NOTHING;
        ELSE
            PERFORM FROM shop.orders WHERE ROW(order_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            INSERT INTO buyer SELECT order_id, customer_id FROM orders WHERE order_id <= pgproof_upto_1 AND order_id > ((-2147483648)::integer) ORDER BY order_id LIMIT 7 ON CONFLICT DO NOTHING;
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
        WHERE progress.step = 'buyer';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 1 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'buyer' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'buyer';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 10 validate: gather statistics of buyer
-- runs      outside a transaction
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.buyer;

-- 11 switch: switch orders
-- runs      in one transaction
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, total FROM orders WHERE state = 'new';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;

-- 12 contract: no longer follow orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_dual_orders ON shop.orders;
DROP FUNCTION shop.pgproof_dual_orders();
COMMIT;

-- 13 contract: no longer follow what is deleted from orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_dual_delete_orders ON shop.orders;
DROP FUNCTION shop.pgproof_dual_delete_orders();
COMMIT;

-- 14 contract: drop index ix_orders_customer of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_customer;

-- 15 contract: drop column orders.customer_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:orders.customer_id: every value of orders.customer_id is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    DROP COLUMN customer_id;
COMMIT;

-- 16 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
