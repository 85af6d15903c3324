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

-- 2 expand: a column beside customer.tenant_id
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD COLUMN tenant_id_new integer;
COMMENT ON COLUMN shop.customer.tenant_id_new IS 'whose customer';
COMMIT;

-- 3 expand: keep both columns of customer.tenant_id the same
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version write the old column, programs of the new version the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_sync_customer_tenant_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    NEW.tenant_id_new := NEW.tenant_id::integer;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_sync_customer_tenant_id BEFORE INSERT OR UPDATE ON shop.customer
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_sync_customer_tenant_id();
COMMIT;

-- 4 backfill: fill customer.tenant_id_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     customer ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE tenant_id_new IS DISTINCT FROM tenant_id::integer LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('customer.tenant_id_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'customer.tenant_id_new';
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
            UPDATE shop.customer SET tenant_id_new = tenant_id::integer
                WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1) AND tenant_id_new IS DISTINCT FROM tenant_id::integer;
        ELSE
            UPDATE shop.customer SET tenant_id_new = tenant_id::integer
                WHERE ROW(customer_id) <= ROW(pgproof_upto_1) AND tenant_id_new IS DISTINCT FROM tenant_id::integer;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'customer.tenant_id_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'customer.tenant_id_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'customer.tenant_id_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 5 validate: build index uq_customer_tenant_new on customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT tenant_id_new, customer_id, count(*) FROM shop.customer
--               WHERE ROW(tenant_id_new, customer_id) IS NOT NULL GROUP BY tenant_id_new, customer_id HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_customer_tenant_new;
CREATE UNIQUE INDEX CONCURRENTLY uq_customer_tenant_new
    ON shop.customer (tenant_id_new, customer_id);

-- 6 validate: refuse new nulls in customer.tenant_id
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT customer_tenant_id_new_not_null_proof CHECK (tenant_id_new IS NOT NULL) NOT VALID;
COMMIT;

-- 7 validate: prove that customer.tenant_id has no nulls
-- runs      in one transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.customer WHERE tenant_id_new IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    VALIDATE CONSTRAINT customer_tenant_id_new_not_null_proof;
COMMIT;

-- 8 validate: make customer.tenant_id NOT NULL
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN tenant_id_new SET NOT NULL;
ALTER TABLE shop.customer
    DROP CONSTRAINT customer_tenant_id_new_not_null_proof;
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
DROP TRIGGER pgproof_sync_customer_tenant_id ON shop.customer;
ALTER TABLE shop.customer
    RENAME CONSTRAINT uq_customer_tenant TO uq_customer_tenant_old;
ALTER TABLE shop.customer
    RENAME COLUMN tenant_id TO tenant_id_old;
ALTER TABLE shop.customer
    RENAME COLUMN tenant_id_new TO tenant_id;
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_tenant UNIQUE USING INDEX uq_customer_tenant_new;
ALTER TABLE shop.customer
    ALTER COLUMN tenant_id_old DROP NOT NULL;
CREATE FUNCTION shop.pgproof_back_customer_tenant_id() RETURNS trigger LANGUAGE plpgsql AS $pgproof$
#variable_conflict use_column
BEGIN
    BEGIN
        NEW.tenant_id_old := NEW.tenant_id::bigint;
    EXCEPTION WHEN data_exception THEN
        NEW.tenant_id_old := NULL;
    END;
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_back_customer_tenant_id BEFORE INSERT OR UPDATE ON shop.customer
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_back_customer_tenant_id();
COMMIT;

-- 11 contract: drop reference fk_letter_customer of letter
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     letter ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.letter
    DROP CONSTRAINT fk_letter_customer;
COMMIT;

-- 12 contract: drop reference fk_letter_email of letter
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     letter ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.letter
    DROP CONSTRAINT fk_letter_email;
COMMIT;

-- 13 contract: drop unique uq_customer_tenant_old of customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old column goes in the next step
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    DROP CONSTRAINT uq_customer_tenant_old;
COMMIT;

-- 14 contract: drop the old column of customer.tenant_id
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old values are gone; they are in the new column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_back_customer_tenant_id ON shop.customer;
DROP FUNCTION shop.pgproof_back_customer_tenant_id();
DROP FUNCTION shop.pgproof_sync_customer_tenant_id();
ALTER TABLE shop.customer
    DROP COLUMN tenant_id_old;
COMMIT;

-- 15 contract: drop table letter
-- runs      in one transaction
-- locks     letter ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:letter: every row of letter is gone
-- forward   only: the rows are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE shop.letter;
COMMIT;

-- 16 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
