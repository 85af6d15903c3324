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

-- 2 expand: table nickname
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.nickname (
    customer_id bigint NOT NULL,
    nick        text   NOT NULL,
    CONSTRAINT nickname_pkey PRIMARY KEY (customer_id)
);
COMMENT ON TABLE shop.nickname IS 'the short name of a customer';
COMMENT ON COLUMN shop.nickname.customer_id IS 'whose';
COMMENT ON COLUMN shop.nickname.nick IS 'a short name';
COMMIT;

-- 3 expand: reference fk_nickname_customer of the new table nickname
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.nickname
    ADD CONSTRAINT fk_nickname_customer FOREIGN KEY (customer_id)
        REFERENCES shop.customer (customer_id) ON DELETE CASCADE;
COMMIT;

-- 4 backfill: fill nickname as the design says
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     customer ROW EXCLUSIVE, a chunk of 5 rows at a time: nobody waits who reads or writes rows; DDL waits
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DO $pgproof$
#variable_conflict use_column
DECLARE
    pgproof_after_1 bigint;
    pgproof_upto_1 bigint;
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('nickname') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'nickname';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT customer_id INTO pgproof_upto_1
            FROM (SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS pgproof_number, lead(customer_id) OVER (ORDER BY customer_id) AS pgproof_next
                FROM (SELECT customer_id FROM shop.customer WHERE ROW(customer_id) > ROW(pgproof_after_1) ORDER BY customer_id LIMIT 6) AS found) AS chunk
            ORDER BY pgproof_number <= 5 AND pgproof_next IS DISTINCT FROM customer_id DESC, customer_id DESC LIMIT 1;
        ELSE
            SELECT customer_id INTO pgproof_upto_1
            FROM (SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS pgproof_number, lead(customer_id) OVER (ORDER BY customer_id) AS pgproof_next
                FROM (SELECT customer_id FROM shop.customer ORDER BY customer_id LIMIT 6) AS found) AS chunk
            ORDER BY pgproof_number <= 5 AND pgproof_next IS DISTINCT FROM customer_id DESC, customer_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            PERFORM FROM shop.customer WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            INSERT INTO nickname SELECT customer_id, nick FROM customer WHERE customer_id <= pgproof_upto_1 AND customer_id > pgproof_after_1 AND nick IS NOT NULL ORDER BY customer_id LIMIT 5 ON CONFLICT DO NOTHING;
        ELSE
            PERFORM FROM shop.customer WHERE ROW(customer_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            INSERT INTO nickname SELECT customer_id, nick FROM customer WHERE customer_id <= pgproof_upto_1 AND customer_id > ((-9223372036854775808)::bigint) AND nick IS NOT NULL ORDER BY customer_id LIMIT 5 ON CONFLICT DO NOTHING;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        -- Rows that came into the chunk meanwhile have pushed its last ones out of the statement's LIMIT: the same chunk again, cut anew.
        IF pgproof_begun THEN
            SELECT count(*) INTO pgproof_seen FROM shop.customer WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1);
        ELSE
            SELECT count(*) INTO pgproof_seen FROM shop.customer WHERE ROW(customer_id) <= ROW(pgproof_upto_1);
        END IF;
        IF pgproof_seen > 5 THEN
            pgproof_tries := pgproof_tries + 1;
            IF pgproof_tries > 20 THEN
                RAISE EXCEPTION 'more than % rows of % share one value of the key by which the backfill is cut: give it larger chunks, or another key', 5, 'customer';
            END IF;
            COMMIT;
            CONTINUE;
        END IF;
        pgproof_tries := 0;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'nickname';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 1 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'nickname' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'nickname';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: gather statistics of nickname
-- runs      outside a transaction
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.nickname;

-- 6 contract: drop column customer.nick
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:customer.nick: every value of customer.nick is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP COLUMN nick;
COMMIT;

-- 7 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
