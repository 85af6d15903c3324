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

-- 2 expand: a column beside customer.email
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD COLUMN email_new varchar(40);
COMMENT ON COLUMN shop.customer.email_new IS 'where letters go';
COMMIT;

-- 3 expand: keep both columns of customer.email the same
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_customer_email() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.email_new := NEW.email;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_customer_email BEFORE INSERT OR UPDATE ON shop.customer
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_customer_email();
COMMIT;

-- 4 backfill: fill customer.email_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     customer ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE email_new IS DISTINCT FROM email::varchar(40) LIMIT 10
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
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('customer.email_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'customer.email_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT customer_id INTO pgproof_upto_1
            FROM (SELECT customer_id FROM shop.customer WHERE ROW(customer_id) > ROW(pgproof_after_1) ORDER BY customer_id LIMIT 5000) AS chunk
            ORDER BY customer_id DESC LIMIT 1;
        ELSE
            SELECT customer_id INTO pgproof_upto_1
            FROM (SELECT customer_id FROM shop.customer ORDER BY customer_id LIMIT 5000) AS chunk
            ORDER BY customer_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.customer SET email_new = email
                WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1) AND email_new IS DISTINCT FROM email::varchar(40);
        ELSE
            UPDATE shop.customer SET email_new = email
                WHERE ROW(customer_id) <= ROW(pgproof_upto_1) AND email_new IS DISTINCT FROM email::varchar(40);
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'customer.email_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'customer.email_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'customer.email_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: build index uq_customer_email_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT email_new, count(*) FROM shop.customer
--               WHERE ROW(email_new) IS NOT NULL GROUP BY email_new HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_email_new;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_email_new
    ON shop.customer (email_new);

-- 6 validate: refuse new nulls in customer.email
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT customer_email_new_not_null_proof CHECK (email_new IS NOT NULL) NOT VALID;
COMMIT;

-- 7 validate: prove that customer.email has no nulls
-- runs      in one transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE email_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    VALIDATE CONSTRAINT customer_email_new_not_null_proof;
COMMIT;

-- 8 validate: make customer.email NOT NULL
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN email_new SET NOT NULL;
ALTER TABLE shop.customer
    DROP CONSTRAINT customer_email_new_not_null_proof;
COMMIT;

-- 9 validate: gather statistics of customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.customer;

-- 10 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_customer_email ON shop.customer;
ALTER TABLE shop.customer
    RENAME CONSTRAINT uq_customer_email TO uq_customer_email_old;
ALTER TABLE shop.customer
    RENAME COLUMN email TO email_old;
ALTER TABLE shop.customer
    RENAME COLUMN email_new TO email;
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_email UNIQUE USING INDEX uq_customer_email_new;
ALTER TABLE shop.customer
    ALTER COLUMN email_old DROP NOT NULL;
CREATE FUNCTION shop.pgproof_back_customer_email() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.email_old := NEW.email;
    EXCEPTION WHEN data_exception THEN
        NEW.email_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_customer_email BEFORE INSERT OR UPDATE ON shop.customer
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_customer_email();
COMMIT;

-- 11 contract: drop unique uq_customer_email_old of customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old column goes in the next step
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP CONSTRAINT uq_customer_email_old;
COMMIT;

-- 12 contract: drop the old column of customer.email
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_customer_email ON shop.customer;
DROP FUNCTION shop.pgproof_back_customer_email();
DROP FUNCTION shop.pgproof_sync_customer_email();
ALTER TABLE shop.customer
    DROP COLUMN email_old;
COMMIT;

-- 13 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
