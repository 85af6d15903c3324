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

-- 2 expand: rename table orders to purchase
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the view lets programs of the old version read and write as before
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    RENAME TO purchase;
CREATE VIEW shop.orders WITH (security_invoker = true) AS
    SELECT order_id, customer_id, state, total, note, placed_at, ends_at
    FROM shop.purchase;
GRANT SELECT, INSERT, UPDATE ON shop.orders TO clerk;
COMMIT;

-- 3 expand: a column beside line.order_id
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ADD COLUMN order_id_new bigint;
COMMENT ON COLUMN shop.line.order_id_new IS 'the order';
COMMIT;

-- 4 expand: a column beside purchase.order_id
-- runs      in one transaction
-- locks     purchase ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.purchase
    ADD COLUMN order_id_new bigint;
COMMENT ON COLUMN shop.purchase.order_id_new IS 'identity';
COMMIT;

-- 5 expand: keep both columns of line.order_id the same
-- runs      in one transaction
-- locks     line SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_line_order_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.order_id_new := NEW.order_id::bigint;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_line_order_id BEFORE INSERT OR UPDATE ON shop.line
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_line_order_id();
COMMIT;

-- 6 expand: keep both columns of purchase.order_id the same
-- runs      in one transaction
-- locks     purchase SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_purchase_order_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.order_id_new := NEW.order_id::bigint;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_purchase_order_id BEFORE INSERT OR UPDATE ON shop.purchase
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_purchase_order_id();
COMMIT;

-- 7 backfill: fill line.order_id_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     line ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.line WHERE order_id_new IS DISTINCT FROM order_id::bigint LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DO $pgproof$
#variable_conflict use_column
DECLARE
    pgproof_after_1 integer;
    pgproof_after_2 integer;
    pgproof_upto_1 integer;
    pgproof_upto_2 integer;
    pgproof_begun boolean;
    pgproof_since timestamptz;
    pgproof_written bigint;
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('line.order_id_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer, (progress.after ->> 1)::integer
    INTO pgproof_begun, pgproof_after_1, pgproof_after_2
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'line.order_id_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id, number INTO pgproof_upto_1, pgproof_upto_2
            FROM (SELECT order_id, number FROM shop.line WHERE ROW(order_id, number) > ROW(pgproof_after_1, pgproof_after_2) ORDER BY order_id, number LIMIT 5000) AS chunk
            ORDER BY order_id DESC, number DESC LIMIT 1;
        ELSE
            SELECT order_id, number INTO pgproof_upto_1, pgproof_upto_2
            FROM (SELECT order_id, number FROM shop.line ORDER BY order_id, number LIMIT 5000) AS chunk
            ORDER BY order_id DESC, number DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.line SET order_id_new = order_id::bigint
                WHERE ROW(order_id, number) > ROW(pgproof_after_1, pgproof_after_2) AND ROW(order_id, number) <= ROW(pgproof_upto_1, pgproof_upto_2) AND order_id_new IS DISTINCT FROM order_id::bigint;
        ELSE
            UPDATE shop.line SET order_id_new = order_id::bigint
                WHERE ROW(order_id, number) <= ROW(pgproof_upto_1, pgproof_upto_2) AND order_id_new IS DISTINCT FROM order_id::bigint;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
                pgproof_after_2 := pgproof_upto_2;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text, pgproof_upto_2::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'line.order_id_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'line.order_id_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'line.order_id_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 8 backfill: fill purchase.order_id_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     purchase ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.purchase WHERE order_id_new IS DISTINCT FROM order_id::bigint LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('purchase.order_id_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'purchase.order_id_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id FROM shop.purchase WHERE ROW(order_id) > ROW(pgproof_after_1) ORDER BY order_id LIMIT 5000) AS chunk
            ORDER BY order_id DESC LIMIT 1;
        ELSE
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id FROM shop.purchase ORDER BY order_id LIMIT 5000) AS chunk
            ORDER BY order_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.purchase SET order_id_new = order_id::bigint
                WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) AND order_id_new IS DISTINCT FROM order_id::bigint;
        ELSE
            UPDATE shop.purchase SET order_id_new = order_id::bigint
                WHERE ROW(order_id) <= ROW(pgproof_upto_1) AND order_id_new IS DISTINCT FROM order_id::bigint;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'purchase.order_id_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'purchase.order_id_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'purchase.order_id_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 9 validate: build index line_pkey_new on line
-- runs      outside a transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT order_id_new, number, count(*) FROM shop.line
--               WHERE ROW(order_id_new, number) IS NOT NULL GROUP BY order_id_new, number HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.line_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY line_pkey_new
    ON shop.line (order_id_new, number);

-- 10 validate: build index purchase_pkey_new on purchase
-- runs      outside a transaction
-- locks     purchase SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT order_id_new, count(*) FROM shop.purchase
--               WHERE ROW(order_id_new) IS NOT NULL GROUP BY order_id_new HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.purchase_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY purchase_pkey_new
    ON shop.purchase (order_id_new);

-- 11 validate: add reference fk_line_orders of line
-- runs      in one transaction
-- locks     line SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     purchase SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ADD CONSTRAINT fk_line_orders_new FOREIGN KEY (order_id_new)
        REFERENCES shop.purchase (order_id_new) ON DELETE CASCADE NOT VALID;
COMMIT;

-- 12 validate: validate reference fk_line_orders of line
-- runs      in one transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     purchase ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT order_id_new FROM shop.line AS child WHERE child.order_id_new IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.purchase AS parent WHERE parent.order_id_new = child.order_id_new) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    VALIDATE CONSTRAINT fk_line_orders_new;
COMMIT;

-- 13 validate: refuse new nulls in line.order_id
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ADD CONSTRAINT line_order_id_new_not_null_proof CHECK (order_id_new IS NOT NULL) NOT VALID;
COMMIT;

-- 14 validate: prove that line.order_id has no nulls
-- runs      in one transaction
-- locks     line SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.line WHERE order_id_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    VALIDATE CONSTRAINT line_order_id_new_not_null_proof;
COMMIT;

-- 15 validate: make line.order_id NOT NULL
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    ALTER COLUMN order_id_new SET NOT NULL;
ALTER TABLE shop.line
    DROP CONSTRAINT line_order_id_new_not_null_proof;
COMMIT;

-- 16 validate: refuse new nulls in purchase.order_id
-- runs      in one transaction
-- locks     purchase ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.purchase
    ADD CONSTRAINT purchase_order_id_new_not_null_proof CHECK (order_id_new IS NOT NULL) NOT VALID;
COMMIT;

-- 17 validate: prove that purchase.order_id has no nulls
-- runs      in one transaction
-- locks     purchase SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.purchase WHERE order_id_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.purchase
    VALIDATE CONSTRAINT purchase_order_id_new_not_null_proof;
COMMIT;

-- 18 validate: make purchase.order_id NOT NULL
-- runs      in one transaction
-- locks     purchase ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.purchase
    ALTER COLUMN order_id_new SET NOT NULL;
ALTER TABLE shop.purchase
    DROP CONSTRAINT purchase_order_id_new_not_null_proof;
COMMIT;

-- 19 validate: gather statistics of line
-- runs      outside a transaction
-- locks     line SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.line;

-- 20 validate: gather statistics of purchase
-- runs      outside a transaction
-- locks     purchase SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.purchase;

-- 21 switch: switch line, purchase
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     open_orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     purchase ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.open_orders;
DROP TRIGGER pgproof_sync_line_order_id ON shop.line;
DROP TRIGGER pgproof_sync_purchase_order_id ON shop.purchase;
ALTER TABLE shop.line
    DROP CONSTRAINT fk_line_orders;
ALTER TABLE shop.line
    DROP CONSTRAINT line_pkey;
ALTER TABLE shop.purchase
    DROP CONSTRAINT orders_pkey;
ALTER TABLE shop.line
    RENAME COLUMN order_id TO order_id_old;
ALTER TABLE shop.line
    RENAME COLUMN order_id_new TO order_id;
ALTER TABLE shop.purchase
    RENAME COLUMN order_id TO order_id_old;
ALTER TABLE shop.purchase
    RENAME COLUMN order_id_new TO order_id;
ALTER TABLE shop.line
    ADD CONSTRAINT line_pkey PRIMARY KEY USING INDEX line_pkey_new;
ALTER TABLE shop.purchase
    ADD CONSTRAINT purchase_pkey PRIMARY KEY USING INDEX purchase_pkey_new;
ALTER TABLE shop.line
    RENAME CONSTRAINT fk_line_orders_new TO fk_line_orders;
ALTER TABLE shop.line
    ALTER COLUMN order_id_old DROP NOT NULL;
ALTER TABLE shop.purchase
    ALTER COLUMN order_id_old DROP NOT NULL;
CREATE FUNCTION shop.pgproof_back_line_order_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.order_id_old := NEW.order_id::integer;
    EXCEPTION WHEN data_exception THEN
        NEW.order_id_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_line_order_id BEFORE INSERT OR UPDATE ON shop.line
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_line_order_id();
CREATE FUNCTION shop.pgproof_back_purchase_order_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.order_id_old := NEW.order_id::integer;
    EXCEPTION WHEN data_exception THEN
        NEW.order_id_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_purchase_order_id BEFORE INSERT OR UPDATE ON shop.purchase
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_purchase_order_id();
CREATE VIEW shop.open_orders WITH (security_invoker = true) AS
SELECT order_id, customer_id, total FROM purchase WHERE state = 'new';
COMMENT ON VIEW shop.open_orders IS 'what is to be done';
COMMIT;

-- 22 contract: drop the view under the old name orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.orders;
COMMIT;

-- 23 contract: drop the old column of line.order_id
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_line_order_id ON shop.line;
DROP FUNCTION shop.pgproof_back_line_order_id();
DROP FUNCTION shop.pgproof_sync_line_order_id();
ALTER TABLE shop.line
    DROP COLUMN order_id_old;
COMMIT;

-- 24 contract: drop the old column of purchase.order_id
-- runs      in one transaction
-- locks     purchase ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_purchase_order_id ON shop.purchase;
DROP FUNCTION shop.pgproof_back_purchase_order_id();
DROP FUNCTION shop.pgproof_sync_purchase_order_id();
ALTER TABLE shop.purchase
    DROP COLUMN order_id_old;
COMMIT;

-- 25 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
