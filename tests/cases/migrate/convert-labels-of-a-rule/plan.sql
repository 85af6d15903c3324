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

-- 2 expand: type bed_state beside the old one
-- runs      in one transaction
-- because   PostgreSQL cannot take a label out of an enum, nor move one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TYPE shop.bed_state_new AS ENUM ('free', 'reserved', 'used');
COMMENT ON TYPE shop.bed_state_new IS 'how it stands';
COMMIT;

-- 3 expand: a column beside bed.state
-- runs      in one transaction
-- locks     bed ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.bed
    ADD COLUMN state_new shop.bed_state_new;
COMMENT ON COLUMN shop.bed.state_new IS 'how it stands';
COMMIT;

-- 4 expand: keep both columns of bed.state the same
-- runs      in one transaction
-- locks     bed SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_bed_state() RETURNS trigger LANGUAGE plpgsql SET search_path = shop, public, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.state_new := (SELECT CASE state WHEN 'held' THEN 'reserved' ELSE state::text END FROM (SELECT NEW.*) AS pgproof_row);
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_bed_state BEFORE INSERT OR UPDATE ON shop.bed
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_bed_state();
COMMIT;

-- 5 backfill: fill bed.state_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     bed ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.bed WHERE state_new IS DISTINCT FROM (CASE state WHEN 'held' THEN 'reserved' ELSE state::text END)::shop.bed_state_new LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('bed.state_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'bed.state_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT bed_id INTO pgproof_upto_1
            FROM (SELECT bed_id FROM shop.bed WHERE ROW(bed_id) > ROW(pgproof_after_1) ORDER BY bed_id LIMIT 5000) AS chunk
            ORDER BY bed_id DESC LIMIT 1;
        ELSE
            SELECT bed_id INTO pgproof_upto_1
            FROM (SELECT bed_id FROM shop.bed ORDER BY bed_id LIMIT 5000) AS chunk
            ORDER BY bed_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.bed SET state_new = (CASE state WHEN 'held' THEN 'reserved' ELSE state::text END)::shop.bed_state_new
                WHERE ROW(bed_id) > ROW(pgproof_after_1) AND ROW(bed_id) <= ROW(pgproof_upto_1) AND state_new IS DISTINCT FROM (CASE state WHEN 'held' THEN 'reserved' ELSE state::text END)::shop.bed_state_new;
        ELSE
            UPDATE shop.bed SET state_new = (CASE state WHEN 'held' THEN 'reserved' ELSE state::text END)::shop.bed_state_new
                WHERE ROW(bed_id) <= ROW(pgproof_upto_1) AND state_new IS DISTINCT FROM (CASE state WHEN 'held' THEN 'reserved' ELSE state::text END)::shop.bed_state_new;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'bed.state_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'bed.state_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'bed.state_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 6 validate: refuse new nulls in bed.state
-- runs      in one transaction
-- locks     bed ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.bed
    ADD CONSTRAINT bed_state_new_not_null_proof CHECK (state_new IS NOT NULL) NOT VALID;
COMMIT;

-- 7 validate: prove that bed.state has no nulls
-- runs      in one transaction
-- locks     bed SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.bed WHERE state_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.bed
    VALIDATE CONSTRAINT bed_state_new_not_null_proof;
COMMIT;

-- 8 validate: make bed.state NOT NULL
-- runs      in one transaction
-- locks     bed ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.bed
    ALTER COLUMN state_new SET NOT NULL;
ALTER TABLE shop.bed
    DROP CONSTRAINT bed_state_new_not_null_proof;
COMMIT;

-- 9 validate: gather statistics of bed
-- runs      outside a transaction
-- locks     bed SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.bed;

-- 10 switch: switch bed
-- runs      in one transaction
-- locks     bed ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_bed_state ON shop.bed;
ALTER TABLE shop.bed
    ALTER COLUMN state DROP DEFAULT;
ALTER TYPE shop.bed_state RENAME TO bed_state_old;
ALTER TYPE shop.bed_state_new RENAME TO bed_state;
ALTER TABLE shop.bed
    RENAME COLUMN state TO state_old;
ALTER TABLE shop.bed
    RENAME COLUMN state_new TO state;
ALTER TABLE shop.bed
    ALTER COLUMN state_old DROP NOT NULL;
ALTER TABLE shop.bed
    ALTER COLUMN state SET DEFAULT 'free';
CREATE OR REPLACE FUNCTION shop.moves_start() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = shop, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF NEW.state::text NOT IN ('free') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'moves: a bed is used that nobody holds',
      CONSTRAINT = 'moves',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;
CREATE FUNCTION shop.pgproof_back_bed_state() RETURNS trigger LANGUAGE plpgsql SET search_path = shop, public, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.state_old := (SELECT CASE state WHEN 'reserved' THEN 'held' ELSE state::text END FROM (SELECT NEW.*) AS pgproof_row);
    EXCEPTION WHEN data_exception THEN
        NEW.state_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_bed_state BEFORE INSERT OR UPDATE ON shop.bed
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_bed_state();
CREATE OR REPLACE FUNCTION shop.moves() RETURNS trigger
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
    WHEN 'free' THEN NEW.state::text IN ('reserved')
    WHEN 'reserved' THEN NEW.state::text IN ('used', 'free')
    WHEN 'used' THEN NEW.state::text IN ('free')
    ELSE FALSE
  END) IS NOT TRUE THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'moves: a bed is used that nobody holds',
      CONSTRAINT = 'moves',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;
COMMIT;

-- 11 contract: drop the old column of bed.state
-- runs      in one transaction
-- locks     bed ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_bed_state ON shop.bed;
DROP FUNCTION shop.pgproof_back_bed_state();
DROP FUNCTION shop.pgproof_sync_bed_state();
ALTER TABLE shop.bed
    DROP COLUMN state_old;
COMMIT;

-- 12 contract: drop the old type bed_state
-- runs      in one transaction
-- forward   only: the columns that had it are gone
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TYPE shop.bed_state_old;
COMMIT;

-- 13 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
