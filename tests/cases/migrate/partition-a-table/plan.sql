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

-- 2 expand: a new log beside the old one
-- runs      in one transaction
-- because   PostgreSQL cannot partition a table that is there
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.log_new (
    log_id bigint      NOT NULL,
    at     timestamptz NOT NULL,
    what   text        NOT NULL,
    CONSTRAINT log_pkey_new PRIMARY KEY (log_id, at)
) PARTITION BY RANGE (at);
CREATE TABLE shop.log_2026_01 PARTITION OF shop.log_new
    FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE shop.log_2026_02 PARTITION OF shop.log_new
    FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE shop.log_2026_03 PARTITION OF shop.log_new
    FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
COMMENT ON TABLE shop.log_new IS 'one thing that happened';
COMMENT ON COLUMN shop.log_new.log_id IS 'identity';
COMMENT ON COLUMN shop.log_new.at IS 'when';
COMMENT ON COLUMN shop.log_new.what IS 'what';
COMMIT;

-- 3 expand: write log to both tables
-- runs      in one transaction
-- locks     log SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   what is written while old rows are copied must not be lost
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_mirror_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM shop.log_new WHERE ROW(log_id, at) = ROW(OLD.log_id, OLD.at);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO shop.log_new (log_id, at, what) OVERRIDING SYSTEM VALUE VALUES (NEW.log_id, NEW.at, NEW.what);
    END IF;
    RETURN NULL;
END
$pgproof$;
CREATE TRIGGER pgproof_mirror_log AFTER INSERT OR UPDATE OR DELETE ON shop.log
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_mirror_log();
COMMIT;

-- 4 backfill: copy log to log_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     log ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('log_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint, (progress.after ->> 1)::timestamptz
    INTO pgproof_begun, pgproof_after_1, pgproof_after_2
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'log_new';
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
            INSERT INTO shop.log_new (log_id, at, what) OVERRIDING SYSTEM VALUE
                SELECT log_id, at, what FROM shop.log
                WHERE ROW(log_id, at) > ROW(pgproof_after_1, pgproof_after_2) AND ROW(log_id, at) <= ROW(pgproof_upto_1, pgproof_upto_2)
                FOR NO KEY UPDATE
                ON CONFLICT DO NOTHING;
        ELSE
            INSERT INTO shop.log_new (log_id, at, what) OVERRIDING SYSTEM VALUE
                SELECT log_id, at, what FROM shop.log
                WHERE ROW(log_id, at) <= ROW(pgproof_upto_1, pgproof_upto_2)
                FOR NO KEY UPDATE
                ON CONFLICT DO NOTHING;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
                pgproof_after_2 := pgproof_upto_2;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text, pgproof_upto_2::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'log_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'log_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'log_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: both tables of log hold the same
-- runs      in one transaction
-- check     this must return no row:
--           (SELECT log_id, at, what FROM shop.log EXCEPT ALL SELECT log_id, at, what FROM shop.log_new)
--           UNION ALL
--           (SELECT log_id, at, what FROM shop.log_new EXCEPT ALL SELECT log_id, at, what FROM shop.log)
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DO $pgproof$
BEGIN
    IF EXISTS ((SELECT log_id, at, what FROM shop.log EXCEPT ALL SELECT log_id, at, what FROM shop.log_new)
    UNION ALL
    (SELECT log_id, at, what FROM shop.log_new EXCEPT ALL SELECT log_id, at, what FROM shop.log)) THEN
        RAISE EXCEPTION 'not so: %', 'both tables of log hold the same';
    END IF;
END
$pgproof$;
COMMIT;

-- 6 validate: gather statistics of log_new
-- runs      outside a transaction
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.log_new;

-- 7 switch: switch log
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_old ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_mirror_log ON shop.log;
ALTER TABLE shop.log
    RENAME TO log_old;
ALTER TABLE shop.log_new
    RENAME TO log;
ALTER TABLE shop.log_old
    RENAME CONSTRAINT log_pkey TO log_pkey_old;
ALTER TABLE shop.log
    RENAME CONSTRAINT log_pkey_new TO log_pkey;
CREATE FUNCTION shop.pgproof_follow_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM shop.log_old WHERE ROW(log_id, at) = ROW(OLD.log_id, OLD.at);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO shop.log_old (log_id, at, what) OVERRIDING SYSTEM VALUE VALUES (NEW.log_id, NEW.at, NEW.what);
    END IF;
    RETURN NULL;
END
$pgproof$;
CREATE TRIGGER pgproof_follow_log AFTER INSERT OR UPDATE OR DELETE ON shop.log
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_follow_log();
COMMIT;

-- 8 contract: no longer follow log in its old table
-- runs      in one transaction
-- forward   only: from here on the old table falls behind
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_follow_log ON shop.log;
DROP FUNCTION shop.pgproof_follow_log();
DROP FUNCTION shop.pgproof_mirror_log();
COMMIT;

-- 9 contract: drop the old table of log
-- runs      in one transaction
-- locks     log_old ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old table is gone; its rows are in the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE shop.log_old;
COMMIT;

-- 10 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
