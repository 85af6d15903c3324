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

-- 2 expand: a column beside log.number
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD COLUMN number_new bigint;
COMMENT ON COLUMN shop.log.number_new IS 'which of that moment';
COMMIT;

-- 3 expand: keep both columns of log.number the same
-- runs      in one transaction
-- locks     log SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     log_2026_01 SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     log_2026_02 SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_log_number() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.number_new := NEW.number::bigint;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_log_number BEFORE INSERT OR UPDATE ON shop.log
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_log_number();
COMMIT;

-- 4 backfill: fill log.number_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     log ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.log WHERE number_new IS DISTINCT FROM number::bigint LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DO $pgproof$
#variable_conflict use_column
DECLARE
    pgproof_after_1 bigint;
    pgproof_after_2 timestamptz;
    pgproof_upto_1 bigint;
    pgproof_upto_2 timestamptz;
    pgproof_begun boolean;
    pgproof_since timestamptz;
    pgproof_written bigint;
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('log.number_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint, (progress.after ->> 1)::timestamptz
    INTO pgproof_begun, pgproof_after_1, pgproof_after_2
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'log.number_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT log_id, at INTO pgproof_upto_1, pgproof_upto_2
            FROM (SELECT log_id, at FROM shop.log WHERE ROW(log_id, at) > ROW(pgproof_after_1, pgproof_after_2) ORDER BY log_id, at LIMIT 5000) AS chunk
            ORDER BY log_id DESC, at DESC LIMIT 1;
        ELSE
            SELECT log_id, at INTO pgproof_upto_1, pgproof_upto_2
            FROM (SELECT log_id, at FROM shop.log ORDER BY log_id, at LIMIT 5000) AS chunk
            ORDER BY log_id DESC, at DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.log SET number_new = number::bigint
                WHERE ROW(log_id, at) > ROW(pgproof_after_1, pgproof_after_2) AND ROW(log_id, at) <= ROW(pgproof_upto_1, pgproof_upto_2) AND number_new IS DISTINCT FROM number::bigint;
        ELSE
            UPDATE shop.log SET number_new = number::bigint
                WHERE ROW(log_id, at) <= ROW(pgproof_upto_1, pgproof_upto_2) AND number_new IS DISTINCT FROM number::bigint;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
                pgproof_after_2 := pgproof_upto_2;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text, pgproof_upto_2::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'log.number_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'log.number_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'log.number_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: build index log_2026_01_uq_log_what_new_new on log_2026_01
-- runs      outside a transaction
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT number_new, at, count(*) FROM shop.log_2026_01
--               WHERE ROW(number_new, at) IS NOT NULL GROUP BY number_new, at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_01_uq_log_what_new_new;
CREATE UNIQUE INDEX CONCURRENTLY log_2026_01_uq_log_what_new_new
    ON shop.log_2026_01 (number_new, at);

-- 6 validate: build index log_2026_02_uq_log_what_new_new on log_2026_02
-- runs      outside a transaction
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT number_new, at, count(*) FROM shop.log_2026_02
--               WHERE ROW(number_new, at) IS NOT NULL GROUP BY number_new, at HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.log_2026_02_uq_log_what_new_new;
CREATE UNIQUE INDEX CONCURRENTLY log_2026_02_uq_log_what_new_new
    ON shop.log_2026_02 (number_new, at);

-- 7 validate: refuse new nulls in log.number
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD CONSTRAINT log_number_new_not_null_proof CHECK (number_new IS NOT NULL) NOT VALID;
COMMIT;

-- 8 validate: prove that log.number has no nulls
-- runs      in one transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.log WHERE number_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    VALIDATE CONSTRAINT log_number_new_not_null_proof;
COMMIT;

-- 9 validate: make log.number NOT NULL
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ALTER COLUMN number_new SET NOT NULL;
ALTER TABLE shop.log
    DROP CONSTRAINT log_number_new_not_null_proof;
COMMIT;

-- 10 validate: gather statistics of log
-- runs      outside a transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.log;

-- 11 switch: switch log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_log_number ON shop.log;
ALTER TABLE shop.log
    ALTER COLUMN number DROP DEFAULT;
ALTER TABLE shop.log
    RENAME CONSTRAINT uq_log_what TO uq_log_what_old;
ALTER TABLE shop.log
    RENAME COLUMN number TO number_old;
ALTER TABLE shop.log
    RENAME COLUMN number_new TO number;
ALTER TABLE shop.log_2026_01
    ADD CONSTRAINT log_2026_01_uq_log_what_new UNIQUE USING INDEX log_2026_01_uq_log_what_new_new;
ALTER TABLE shop.log_2026_02
    ADD CONSTRAINT log_2026_02_uq_log_what_new UNIQUE USING INDEX log_2026_02_uq_log_what_new_new;
ALTER TABLE shop.log
    ADD CONSTRAINT uq_log_what UNIQUE (number, at);
ALTER TABLE shop.log
    ALTER COLUMN number_old DROP NOT NULL;
ALTER TABLE shop.log
    ALTER COLUMN number SET DEFAULT 1;
CREATE FUNCTION shop.pgproof_back_log_number() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.number_old := NEW.number::integer;
    EXCEPTION WHEN data_exception THEN
        NEW.number_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_log_number BEFORE INSERT OR UPDATE ON shop.log
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_log_number();
COMMIT;

-- 12 contract: drop unique uq_log_what_old of log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old column goes in the next step
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    DROP CONSTRAINT uq_log_what_old;
ALTER INDEX shop.log_2026_01_uq_log_what_new RENAME TO log_2026_01_uq_log_what;
ALTER INDEX shop.log_2026_02_uq_log_what_new RENAME TO log_2026_02_uq_log_what;
COMMIT;

-- 13 contract: drop the old column of log.number
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_log_number ON shop.log;
DROP FUNCTION shop.pgproof_back_log_number();
DROP FUNCTION shop.pgproof_sync_log_number();
ALTER TABLE shop.log
    DROP COLUMN number_old;
COMMIT;

-- 14 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
