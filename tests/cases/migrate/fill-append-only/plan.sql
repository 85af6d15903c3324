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

-- 2 expand: a column beside customer.address
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD COLUMN address varchar(80);
COMMENT ON COLUMN shop.customer.address IS 'where letters go';
COMMIT;

-- 3 expand: add column log.mark
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   with the default in ADD COLUMN every row would be written under ACCESS EXCLUSIVE, since each gets a value of its own
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD COLUMN mark uuid;
ALTER TABLE shop.log
    ALTER COLUMN mark SET DEFAULT gen_random_uuid();
COMMENT ON COLUMN shop.log.mark IS 'tells it from others';
COMMIT;

-- 4 expand: keep both columns of customer.address the same
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_customer_address() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.address IS NOT NULL THEN
            NEW.email := NEW.address;
        ELSE
            NEW.address := NEW.email;
        END IF;
    ELSIF NEW.email IS DISTINCT FROM OLD.email THEN
        NEW.address := NEW.email;
    ELSIF NEW.address IS DISTINCT FROM OLD.address AND NEW.address IS DISTINCT FROM NEW.email THEN
        NEW.email := NEW.address;
    END IF;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_customer_address BEFORE INSERT OR UPDATE ON shop.customer
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_customer_address();
COMMIT;

-- 5 backfill: let customers_keep_their_tenant of customer stand aside for the backfill
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   it would refuse the backfill; it holds for everybody else, because nobody else may write the table of progress
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER customers_keep_their_tenant ON shop.customer;
CREATE TRIGGER customers_keep_their_tenant
    BEFORE UPDATE ON shop.customer
    FOR EACH ROW WHEN (NOT (coalesce(current_setting('pgproof.filling', true), '') = 'on' AND has_table_privilege(session_user, 'shop.pgproof_progress', 'UPDATE')))
    EXECUTE FUNCTION shop.customers_keep_their_tenant();
COMMIT;

-- 6 backfill: let the_log_stays of log stand aside for the backfill
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   it would refuse the backfill; it holds for everybody else, because nobody else may write the table of progress
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER the_log_stays ON shop.log;
CREATE TRIGGER the_log_stays
    BEFORE UPDATE OR DELETE ON shop.log
    FOR EACH ROW WHEN (NOT (coalesce(current_setting('pgproof.filling', true), '') = 'on' AND has_table_privilege(session_user, 'shop.pgproof_progress', 'UPDATE')))
    EXECUTE FUNCTION shop.the_log_stays();
COMMIT;

-- 7 backfill: fill customer.address
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     customer ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE address IS DISTINCT FROM email LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('customer.address') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'customer.address';
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
            PERFORM set_config('pgproof.filling', 'on', true);UPDATE shop.customer SET address = email
                WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1) AND address IS DISTINCT FROM email;
        ELSE
            PERFORM set_config('pgproof.filling', 'on', true);UPDATE shop.customer SET address = email
                WHERE ROW(customer_id) <= ROW(pgproof_upto_1) AND address IS DISTINCT FROM email;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'customer.address';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'customer.address' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'customer.address';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 8 backfill: fill log.mark
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     log ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.log WHERE mark IS NULL LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('log.mark') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint, (progress.after ->> 1)::timestamptz
    INTO pgproof_begun, pgproof_after_1, pgproof_after_2
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'log.mark';
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
            PERFORM set_config('pgproof.filling', 'on', true);UPDATE shop.log SET mark = gen_random_uuid()
                WHERE ROW(log_id, at) > ROW(pgproof_after_1, pgproof_after_2) AND ROW(log_id, at) <= ROW(pgproof_upto_1, pgproof_upto_2) AND mark IS NULL;
        ELSE
            PERFORM set_config('pgproof.filling', 'on', true);UPDATE shop.log SET mark = gen_random_uuid()
                WHERE ROW(log_id, at) <= ROW(pgproof_upto_1, pgproof_upto_2) AND mark IS NULL;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
                pgproof_after_2 := pgproof_upto_2;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text, pgproof_upto_2::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'log.mark';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'log.mark' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'log.mark';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 9 backfill: customers_keep_their_tenant of customer holds for everybody again
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER customers_keep_their_tenant ON shop.customer;
CREATE TRIGGER customers_keep_their_tenant
    BEFORE UPDATE ON shop.customer
    FOR EACH ROW
    EXECUTE FUNCTION shop.customers_keep_their_tenant();
COMMIT;

-- 10 backfill: the_log_stays of log holds for everybody again
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER the_log_stays ON shop.log;
CREATE TRIGGER the_log_stays
    BEFORE UPDATE OR DELETE ON shop.log
    FOR EACH ROW
    EXECUTE FUNCTION shop.the_log_stays();
COMMIT;

-- 11 validate: build index uq_customer_email_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT address, count(*) FROM shop.customer
--               WHERE ROW(address) IS NOT NULL GROUP BY address HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_email_new;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_email_new
    ON shop.customer (address);

-- 12 validate: refuse new nulls in customer.address
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT customer_address_not_null_proof CHECK (address IS NOT NULL) NOT VALID;
COMMIT;

-- 13 validate: prove that customer.address has no nulls
-- runs      in one transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE address IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    VALIDATE CONSTRAINT customer_address_not_null_proof;
COMMIT;

-- 14 validate: make customer.address NOT NULL
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN address SET NOT NULL;
ALTER TABLE shop.customer
    DROP CONSTRAINT customer_address_not_null_proof;
COMMIT;

-- 15 validate: refuse new nulls in log.mark
-- runs      in one transaction
-- locks     log ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_01 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     log_2026_02 ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    ADD CONSTRAINT log_mark_not_null_proof CHECK (mark IS NOT NULL) NOT VALID;
COMMIT;

-- 16 validate: prove that log.mark has no nulls
-- runs      in one transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.log WHERE mark IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.log
    VALIDATE CONSTRAINT log_mark_not_null_proof;
COMMIT;

-- 17 validate: make log.mark NOT NULL
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
    ALTER COLUMN mark SET NOT NULL;
ALTER TABLE shop.log
    DROP CONSTRAINT log_mark_not_null_proof;
COMMIT;

-- 18 validate: gather statistics of customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.customer;

-- 19 validate: gather statistics of log
-- runs      outside a transaction
-- locks     log SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_01 SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     log_2026_02 SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.log;

-- 20 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP CONSTRAINT uq_customer_email;
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_email UNIQUE USING INDEX uq_customer_email_new;
COMMIT;

-- 21 contract: drop column customer.email, now address
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old name is gone; its values are under the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_customer_address ON shop.customer;
DROP FUNCTION shop.pgproof_sync_customer_address();
ALTER TABLE shop.customer
    DROP COLUMN email;
COMMIT;

-- 22 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
