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

-- 2 expand: a column beside orders.buyer_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN buyer_id bigint;
COMMENT ON COLUMN shop.orders.buyer_id IS 'who ordered';
COMMIT;

-- 3 expand: keep both columns of orders.buyer_id the same
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_orders_buyer_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.buyer_id IS NOT NULL THEN
            NEW.customer_id := NEW.buyer_id;
        ELSE
            NEW.buyer_id := NEW.customer_id;
        END IF;
    ELSIF NEW.customer_id IS DISTINCT FROM OLD.customer_id THEN
        NEW.buyer_id := NEW.customer_id;
    ELSIF NEW.buyer_id IS DISTINCT FROM OLD.buyer_id AND NEW.buyer_id IS DISTINCT FROM NEW.customer_id THEN
        NEW.customer_id := NEW.buyer_id;
    END IF;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_orders_buyer_id BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_orders_buyer_id();
COMMIT;

-- 4 backfill: fill orders.buyer_id
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     orders ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE buyer_id IS DISTINCT FROM customer_id LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('orders.buyer_id') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.buyer_id';
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
            UPDATE shop.orders SET buyer_id = customer_id
                WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) AND buyer_id IS DISTINCT FROM customer_id;
        ELSE
            UPDATE shop.orders SET buyer_id = customer_id
                WHERE ROW(order_id) <= ROW(pgproof_upto_1) AND buyer_id IS DISTINCT FROM customer_id;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'orders.buyer_id';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'orders.buyer_id' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'orders.buyer_id';
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
    ON shop.orders (buyer_id, placed_at DESC);

-- 6 validate: add reference fk_orders_customer of orders
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT fk_orders_customer_new FOREIGN KEY (buyer_id)
        REFERENCES shop.customer (customer_id) ON DELETE RESTRICT NOT VALID;
COMMIT;

-- 7 validate: validate reference fk_orders_customer of orders
-- runs      in one transaction
-- locks     customer ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT buyer_id FROM shop.orders AS child WHERE child.buyer_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.customer AS parent WHERE parent.customer_id = child.buyer_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT fk_orders_customer_new;
COMMIT;

-- 8 validate: refuse new nulls in orders.buyer_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_buyer_id_not_null_proof CHECK (buyer_id IS NOT NULL) NOT VALID;
COMMIT;

-- 9 validate: prove that orders.buyer_id has no nulls
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE buyer_id IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT orders_buyer_id_not_null_proof;
COMMIT;

-- 10 validate: make orders.buyer_id NOT NULL
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN buyer_id SET NOT NULL;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_buyer_id_not_null_proof;
COMMIT;

-- 11 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 12 switch: switch orders
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
ALTER TABLE shop.orders
    DROP CONSTRAINT fk_orders_customer;
ALTER INDEX shop.ix_orders_customer RENAME TO ix_orders_customer_old;
ALTER INDEX shop.ix_orders_customer_new RENAME TO ix_orders_customer;
ALTER TABLE shop.orders
    RENAME CONSTRAINT fk_orders_customer_new TO fk_orders_customer;
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, buyer_id, total FROM orders WHERE state = 'new';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;

-- 13 contract: drop index ix_orders_customer_old of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- forward   only: another index has its place; the one before it is the new schema's
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.ix_orders_customer_old;

-- 14 contract: drop column orders.customer_id, now buyer_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old name is gone; its values are under the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_orders_buyer_id ON shop.orders;
DROP FUNCTION shop.pgproof_sync_orders_buyer_id();
ALTER TABLE shop.orders
    DROP COLUMN customer_id;
COMMIT;

-- 15 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
