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

-- 2 expand: add column line.tenant_id
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ADD COLUMN tenant_id bigint;
COMMENT ON COLUMN shop.line.tenant_id IS 'whose line';
COMMIT;

-- 3 expand: add column orders.tenant_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN tenant_id bigint;
COMMENT ON COLUMN shop.orders.tenant_id IS 'whose order';
COMMIT;

-- 4 expand: bring what is written to orders to its new place
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
    IF TG_OP = 'UPDATE' AND (NOT (NEW.customer_id IS DISTINCT FROM OLD.customer_id) OR NEW.tenant_id IS DISTINCT FROM OLD.tenant_id) THEN
        RETURN NEW;
    END IF;
    -- Only programs of the new version insert such a row.
    IF TG_OP = 'INSERT' AND (NEW.tenant_id IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    NEW.tenant_id := (SELECT c.tenant_id FROM customer AS c WHERE c.customer_id = NEW.customer_id);
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_dual_orders BEFORE INSERT OR UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_dual_orders();
COMMIT;

-- 5 expand: bring what is written to line to its new place
-- runs      in one transaction
-- locks     line SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version go on writing it until they are gone
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_dual_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, public, pg_temp AS $pgproof$
BEGIN
    -- What this does not stand on, and what a program of the new version has given itself, stays as it is.
    IF TG_OP = 'UPDATE' AND (NEW.tenant_id IS DISTINCT FROM OLD.tenant_id) THEN
        RETURN NEW;
    END IF;
    -- Only programs of the new version insert such a row.
    IF TG_OP = 'INSERT' AND (NEW.tenant_id IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    NEW.tenant_id := (SELECT o.tenant_id FROM orders AS o WHERE o.order_id = NEW.order_id);
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_dual_line BEFORE INSERT OR UPDATE ON shop.line
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_dual_line();
COMMIT;

-- 6 backfill: fill orders as the design says
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
            UPDATE orders SET tenant_id = c.tenant_id FROM customer AS c WHERE c.customer_id = orders.customer_id AND order_id IN (SELECT order_id FROM orders WHERE order_id <= pgproof_upto_1 AND order_id > pgproof_after_1 ORDER BY order_id LIMIT 7);
        ELSE
            PERFORM FROM shop.orders WHERE ROW(order_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE orders SET tenant_id = c.tenant_id FROM customer AS c WHERE c.customer_id = orders.customer_id AND order_id IN (SELECT order_id FROM orders WHERE order_id <= pgproof_upto_1 AND order_id > ((-2147483648)::integer) ORDER BY order_id LIMIT 7);
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

-- 7 backfill: fill line as the design says
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     line ROW EXCLUSIVE, a chunk of 7 rows at a time: nobody waits who reads or writes rows; DDL waits
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('line') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'line';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id, row_number() OVER (ORDER BY order_id) AS pgproof_number, lead(order_id) OVER (ORDER BY order_id) AS pgproof_next
                FROM (SELECT order_id FROM shop.line WHERE ROW(order_id) > ROW(pgproof_after_1) ORDER BY order_id LIMIT 8) AS found) AS chunk
            ORDER BY pgproof_number <= 7 AND pgproof_next IS DISTINCT FROM order_id DESC, order_id DESC LIMIT 1;
        ELSE
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id, row_number() OVER (ORDER BY order_id) AS pgproof_number, lead(order_id) OVER (ORDER BY order_id) AS pgproof_next
                FROM (SELECT order_id FROM shop.line ORDER BY order_id LIMIT 8) AS found) AS chunk
            ORDER BY pgproof_number <= 7 AND pgproof_next IS DISTINCT FROM order_id DESC, order_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            PERFORM FROM shop.line WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE line SET tenant_id = o.tenant_id FROM orders AS o WHERE o.order_id = line.order_id AND (line.order_id, line.number) IN (SELECT order_id, number FROM line WHERE order_id <= pgproof_upto_1 AND order_id > pgproof_after_1 ORDER BY order_id LIMIT 7);
        ELSE
            PERFORM FROM shop.line WHERE ROW(order_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE line SET tenant_id = o.tenant_id FROM orders AS o WHERE o.order_id = line.order_id AND (line.order_id, line.number) IN (SELECT order_id, number FROM line WHERE order_id <= pgproof_upto_1 AND order_id > ((-2147483648)::integer) ORDER BY order_id LIMIT 7);
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        -- Rows that came into the chunk meanwhile have pushed its last ones out of the statement's LIMIT: the same chunk again, cut anew.
        IF pgproof_begun THEN
            SELECT count(*) INTO pgproof_seen FROM shop.line WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1);
        ELSE
            SELECT count(*) INTO pgproof_seen FROM shop.line WHERE ROW(order_id) <= ROW(pgproof_upto_1);
        END IF;
        IF pgproof_seen > 7 THEN
            pgproof_tries := pgproof_tries + 1;
            IF pgproof_tries > 20 THEN
                RAISE EXCEPTION 'more than % rows of % share one value of the key by which the backfill is cut: give it larger chunks, or another key', 7, 'line';
            END IF;
            COMMIT;
            CONTINUE;
        END IF;
        pgproof_tries := 0;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'line';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 1 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'line' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'line';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 8 validate: build index line_pkey_new on line
-- runs      outside a transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT tenant_id, order_id, number, count(*) FROM shop.line
--               WHERE ROW(tenant_id, order_id, number) IS NOT NULL GROUP BY tenant_id, order_id, number HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.line_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY line_pkey_new
    ON shop.line (tenant_id, order_id, number);

-- 9 validate: build index orders_pkey_new on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT tenant_id, order_id, count(*) FROM shop.orders
--               WHERE ROW(tenant_id, order_id) IS NOT NULL GROUP BY tenant_id, order_id HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.orders_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY orders_pkey_new
    ON shop.orders (tenant_id, order_id);

-- 10 validate: add reference fk_line_orders of line
-- runs      in one transaction
-- locks     line SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ADD CONSTRAINT fk_line_orders_new FOREIGN KEY (tenant_id, order_id)
        REFERENCES shop.orders (tenant_id, order_id) ON DELETE CASCADE NOT VALID;
COMMIT;

-- 11 validate: validate reference fk_line_orders of line
-- runs      in one transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     orders ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT tenant_id, order_id FROM shop.line AS child WHERE child.tenant_id IS NOT NULL AND child.order_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.orders AS parent WHERE parent.tenant_id = child.tenant_id AND parent.order_id = child.order_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    VALIDATE CONSTRAINT fk_line_orders_new;
COMMIT;

-- 12 validate: refuse new nulls in line.tenant_id
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ADD CONSTRAINT line_tenant_id_not_null_proof CHECK (tenant_id IS NOT NULL) NOT VALID;
COMMIT;

-- 13 validate: prove that line.tenant_id has no nulls
-- runs      in one transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.line WHERE tenant_id IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    VALIDATE CONSTRAINT line_tenant_id_not_null_proof;
COMMIT;

-- 14 validate: make line.tenant_id NOT NULL
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ALTER COLUMN tenant_id SET NOT NULL;
ALTER TABLE shop.line
    DROP CONSTRAINT line_tenant_id_not_null_proof;
COMMIT;

-- 15 validate: refuse new nulls in orders.tenant_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_tenant_id_not_null_proof CHECK (tenant_id IS NOT NULL) NOT VALID;
COMMIT;

-- 16 validate: prove that orders.tenant_id has no nulls
-- runs      in one transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.orders WHERE tenant_id IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT orders_tenant_id_not_null_proof;
COMMIT;

-- 17 validate: make orders.tenant_id NOT NULL
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ALTER COLUMN tenant_id SET NOT NULL;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_tenant_id_not_null_proof;
COMMIT;

-- 18 validate: gather statistics of line
-- runs      outside a transaction
-- locks     line SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.line;

-- 19 validate: gather statistics of orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.orders;

-- 20 switch: switch line, orders
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    DROP CONSTRAINT fk_line_orders;
ALTER TABLE shop.line
    DROP CONSTRAINT line_pkey;
ALTER TABLE shop.orders
    DROP CONSTRAINT orders_pkey;
ALTER TABLE shop.line
    ADD CONSTRAINT line_pkey PRIMARY KEY USING INDEX line_pkey_new;
ALTER TABLE shop.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey_new;
ALTER TABLE shop.line
    RENAME CONSTRAINT fk_line_orders_new TO fk_line_orders;
COMMIT;

-- 21 contract: no longer follow line
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_dual_line ON shop.line;
DROP FUNCTION shop.pgproof_dual_line();
COMMIT;

-- 22 contract: no longer follow orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_dual_orders ON shop.orders;
DROP FUNCTION shop.pgproof_dual_orders();
COMMIT;

-- 23 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
