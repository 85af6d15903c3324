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

-- 2 expand: rename table line to item
-- runs      in one transaction
-- locks     line ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the view lets programs of the old version read and write as before
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.line
    RENAME TO item;
CREATE VIEW shop.line WITH (security_invoker = true) AS
    SELECT order_id, number, amount
    FROM shop.item;
COMMIT;

-- 3 expand: a column beside item.price
-- runs      in one transaction
-- locks     item ACCESS EXCLUSIVE, as long as all its rows take: everybody waits, who reads as well as who writes
-- HAZARD    rewrite:item: item is written anew under ACCESS EXCLUSIVE: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.item
    ADD COLUMN price shop.cents;
COMMENT ON COLUMN shop.item.price IS 'what it costs';
COMMIT;

-- 4 expand: rename primary key of item
-- runs      in one transaction
-- locks     item ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.item
    RENAME CONSTRAINT line_pkey TO item_pkey;
COMMIT;

-- 5 expand: keep both columns of item.price the same
-- runs      in one transaction
-- locks     item SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_item_price() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.price IS NOT NULL THEN
            NEW.amount := NEW.price;
        ELSE
            NEW.price := NEW.amount;
        END IF;
    ELSIF NEW.amount IS DISTINCT FROM OLD.amount THEN
        NEW.price := NEW.amount;
    ELSIF NEW.price IS DISTINCT FROM OLD.price AND NEW.price IS DISTINCT FROM NEW.amount THEN
        NEW.amount := NEW.price;
    END IF;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_item_price BEFORE INSERT OR UPDATE ON shop.item
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_item_price();
COMMIT;

-- 6 backfill: fill item.price
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     item ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.item WHERE price IS DISTINCT FROM amount LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('item.price') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer, (progress.after ->> 1)::integer
    INTO pgproof_begun, pgproof_after_1, pgproof_after_2
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'item.price';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id, number INTO pgproof_upto_1, pgproof_upto_2
            FROM (SELECT order_id, number FROM shop.item WHERE ROW(order_id, number) > ROW(pgproof_after_1, pgproof_after_2) ORDER BY order_id, number LIMIT 5000) AS chunk
            ORDER BY order_id DESC, number DESC LIMIT 1;
        ELSE
            SELECT order_id, number INTO pgproof_upto_1, pgproof_upto_2
            FROM (SELECT order_id, number FROM shop.item ORDER BY order_id, number LIMIT 5000) AS chunk
            ORDER BY order_id DESC, number DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.item SET price = amount
                WHERE ROW(order_id, number) > ROW(pgproof_after_1, pgproof_after_2) AND ROW(order_id, number) <= ROW(pgproof_upto_1, pgproof_upto_2) AND price IS DISTINCT FROM amount;
        ELSE
            UPDATE shop.item SET price = amount
                WHERE ROW(order_id, number) <= ROW(pgproof_upto_1, pgproof_upto_2) AND price IS DISTINCT FROM amount;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
                pgproof_after_2 := pgproof_upto_2;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text, pgproof_upto_2::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'item.price';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'item.price' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'item.price';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 7 validate: refuse new nulls in item.price
-- runs      in one transaction
-- locks     item ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.item
    ADD CONSTRAINT item_price_not_null_proof CHECK (price IS NOT NULL) NOT VALID;
COMMIT;

-- 8 validate: prove that item.price has no nulls
-- runs      in one transaction
-- locks     item SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.item WHERE price IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.item
    VALIDATE CONSTRAINT item_price_not_null_proof;
COMMIT;

-- 9 validate: make item.price NOT NULL
-- runs      in one transaction
-- locks     item ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.item
    ALTER COLUMN price SET NOT NULL;
ALTER TABLE shop.item
    DROP CONSTRAINT item_price_not_null_proof;
COMMIT;

-- 10 validate: gather statistics of item
-- runs      outside a transaction
-- locks     item SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.item;

-- 11 contract: drop the view under the old name line
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP VIEW shop.line;
COMMIT;

-- 12 contract: drop column item.amount, now price
-- runs      in one transaction
-- locks     item ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old name is gone; its values are under the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_item_price ON shop.item;
DROP FUNCTION shop.pgproof_sync_item_price();
ALTER TABLE shop.item
    DROP COLUMN amount;
ALTER TABLE shop.item
    ALTER COLUMN price SET DEFAULT 0;
COMMIT;

-- 13 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
