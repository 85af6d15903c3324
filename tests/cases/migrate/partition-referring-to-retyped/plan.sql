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

-- 2 expand: a new letter beside the old one
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   PostgreSQL cannot partition a table that is there
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.letter_new (
    letter_id   bigint      NOT NULL,
    email       varchar(80),
    tenant_id   integer,
    customer_id bigint,
    CONSTRAINT letter_pkey_new PRIMARY KEY (letter_id),
    CONSTRAINT fk_letter_email FOREIGN KEY (email)
        REFERENCES shop.customer (email) ON DELETE RESTRICT
) PARTITION BY HASH (letter_id);
CREATE TABLE shop.letter_h0 PARTITION OF shop.letter_new
    FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.letter_h1 PARTITION OF shop.letter_new
    FOR VALUES WITH (MODULUS 2, REMAINDER 1);
COMMENT ON TABLE shop.letter_new IS 'one letter';
COMMENT ON COLUMN shop.letter_new.letter_id IS 'identity';
COMMENT ON COLUMN shop.letter_new.email IS 'where it went';
COMMENT ON COLUMN shop.letter_new.tenant_id IS 'whose';
COMMENT ON COLUMN shop.letter_new.customer_id IS 'to whom';
COMMIT;

-- 3 expand: a column beside customer.tenant_id
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

-- 4 expand: write letter to both tables
-- runs      in one transaction
-- locks     letter SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   what is written while old rows are copied must not be lost
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_mirror_letter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM shop.letter_new WHERE ROW(letter_id) = ROW(OLD.letter_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO shop.letter_new (letter_id, email, tenant_id, customer_id) OVERRIDING SYSTEM VALUE VALUES (NEW.letter_id, NEW.email, NEW.tenant_id::integer, NEW.customer_id);
    END IF;
    RETURN NULL;
END
$pgproof$;
CREATE TRIGGER pgproof_mirror_letter AFTER INSERT OR UPDATE OR DELETE ON shop.letter
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_mirror_letter();
COMMIT;

-- 5 expand: keep both columns of customer.tenant_id the same
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

-- 6 backfill: copy letter to letter_new
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     letter ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('letter_new') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'letter_new';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT letter_id INTO pgproof_upto_1
            FROM (SELECT letter_id FROM shop.letter WHERE ROW(letter_id) > ROW(pgproof_after_1) ORDER BY letter_id LIMIT 5000) AS chunk
            ORDER BY letter_id DESC LIMIT 1;
        ELSE
            SELECT letter_id INTO pgproof_upto_1
            FROM (SELECT letter_id FROM shop.letter ORDER BY letter_id LIMIT 5000) AS chunk
            ORDER BY letter_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            INSERT INTO shop.letter_new (letter_id, email, tenant_id, customer_id) OVERRIDING SYSTEM VALUE
                SELECT letter_id, email, tenant_id::integer, customer_id FROM shop.letter
                WHERE ROW(letter_id) > ROW(pgproof_after_1) AND ROW(letter_id) <= ROW(pgproof_upto_1)
                FOR NO KEY UPDATE
                ON CONFLICT DO NOTHING;
        ELSE
            INSERT INTO shop.letter_new (letter_id, email, tenant_id, customer_id) OVERRIDING SYSTEM VALUE
                SELECT letter_id, email, tenant_id::integer, customer_id FROM shop.letter
                WHERE ROW(letter_id) <= ROW(pgproof_upto_1)
                FOR NO KEY UPDATE
                ON CONFLICT DO NOTHING;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'letter_new';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'letter_new' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'letter_new';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 7 backfill: fill customer.tenant_id_new
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

-- 8 validate: build index uq_customer_tenant_new on customer
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

-- 9 validate: refuse new nulls in customer.tenant_id
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ADD CONSTRAINT customer_tenant_id_new_not_null_proof CHECK (tenant_id_new IS NOT NULL) NOT VALID;
COMMIT;

-- 10 validate: prove that customer.tenant_id has no nulls
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

-- 11 validate: make customer.tenant_id NOT NULL
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

-- 12 validate: both tables of letter hold the same
-- runs      in one transaction
-- check     this must return no row:
--           (SELECT letter_id, email, tenant_id::integer, customer_id FROM shop.letter EXCEPT ALL SELECT letter_id, email, tenant_id, customer_id FROM shop.letter_new)
--           UNION ALL
--           (SELECT letter_id, email, tenant_id, customer_id FROM shop.letter_new EXCEPT ALL SELECT letter_id, email, tenant_id::integer, customer_id FROM shop.letter)
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DO $pgproof$
BEGIN
    IF EXISTS ((SELECT letter_id, email, tenant_id::integer, customer_id FROM shop.letter EXCEPT ALL SELECT letter_id, email, tenant_id, customer_id FROM shop.letter_new)
    UNION ALL
    (SELECT letter_id, email, tenant_id, customer_id FROM shop.letter_new EXCEPT ALL SELECT letter_id, email, tenant_id::integer, customer_id FROM shop.letter)) THEN
        RAISE EXCEPTION 'not so: %', 'both tables of letter hold the same';
    END IF;
END
$pgproof$;
COMMIT;

-- 13 validate: gather statistics of letter_new
-- runs      outside a transaction
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.letter_new;

-- 14 validate: gather statistics of customer
-- runs      outside a transaction
-- locks     customer SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.customer;

-- 15 switch: switch customer, letter
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     letter ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     letter_old ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
-- HAZARD    stop:letter: before 18 PostgreSQL refuses NOT VALID for a partitioned table, so letter is read while its writers wait
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_sync_customer_tenant_id ON shop.customer;
DROP TRIGGER pgproof_mirror_letter ON shop.letter;
ALTER TABLE shop.customer
    RENAME CONSTRAINT uq_customer_tenant TO uq_customer_tenant_old;
ALTER TABLE shop.customer
    RENAME COLUMN tenant_id TO tenant_id_old;
ALTER TABLE shop.customer
    RENAME COLUMN tenant_id_new TO tenant_id;
ALTER TABLE shop.letter
    RENAME TO letter_old;
ALTER TABLE shop.letter_new
    RENAME TO letter;
ALTER TABLE shop.customer
    ADD CONSTRAINT uq_customer_tenant UNIQUE USING INDEX uq_customer_tenant_new;
ALTER TABLE shop.letter_old
    RENAME CONSTRAINT letter_pkey TO letter_pkey_old;
ALTER TABLE shop.letter
    RENAME CONSTRAINT letter_pkey_new TO letter_pkey;
ALTER TABLE shop.letter
    ADD CONSTRAINT fk_letter_customer FOREIGN KEY (tenant_id, customer_id)
        REFERENCES shop.customer (tenant_id, customer_id) ON DELETE RESTRICT;
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
CREATE FUNCTION shop.pgproof_follow_letter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $pgproof$
#variable_conflict use_column
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM shop.letter_old WHERE ROW(letter_id) = ROW(OLD.letter_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO shop.letter_old (letter_id, email, tenant_id, customer_id) OVERRIDING SYSTEM VALUE VALUES (NEW.letter_id, NEW.email, NEW.tenant_id::bigint, NEW.customer_id);
    END IF;
    RETURN NULL;
END
$pgproof$;
CREATE TRIGGER pgproof_follow_letter AFTER INSERT OR UPDATE OR DELETE ON shop.letter
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_follow_letter();
COMMIT;

-- 16 contract: no longer follow letter in its old table
-- runs      in one transaction
-- forward   only: from here on the old table falls behind
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_follow_letter ON shop.letter;
DROP FUNCTION shop.pgproof_follow_letter();
DROP FUNCTION shop.pgproof_mirror_letter();
COMMIT;

-- 17 contract: drop reference fk_letter_customer of the old table
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     letter_old ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old table goes next
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.letter_old
    DROP CONSTRAINT fk_letter_customer;
COMMIT;

-- 18 contract: drop reference fk_letter_email of the old table
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     letter_old ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old table goes next
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.letter_old
    DROP CONSTRAINT fk_letter_email;
COMMIT;

-- 19 contract: drop unique uq_customer_tenant_old of customer
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

-- 20 contract: drop the old column of customer.tenant_id
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

-- 21 contract: drop the old table of letter
-- runs      in one transaction
-- locks     letter_old ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- forward   only: the old table is gone; its rows are in the new one
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE shop.letter_old;
COMMIT;

-- 22 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
