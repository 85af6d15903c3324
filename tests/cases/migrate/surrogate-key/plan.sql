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

-- 2 expand: let city.code be left out
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   programs of the new version no longer write the column
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    ALTER COLUMN code DROP NOT NULL;
COMMIT;

-- 3 expand: add column city.country_id
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    ADD COLUMN country_id bigint;
COMMENT ON COLUMN shop.city.country_id IS 'where it lies';
COMMIT;

-- 4 expand: add column country.country_id
-- runs      in one transaction
-- locks     country ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   an identity in ADD COLUMN would write every row under ACCESS EXCLUSIVE
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE SEQUENCE shop.country_country_id_filling;
ALTER TABLE shop.country
    ADD COLUMN country_id bigint;
ALTER TABLE shop.country
    ALTER COLUMN country_id SET DEFAULT nextval('shop.country_country_id_filling');
COMMENT ON COLUMN shop.country.country_id IS 'identity';
COMMIT;

-- 5 expand: bring what is written to city to its new place
-- runs      in one transaction
-- locks     city SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- because   programs of the old version go on writing it until they are gone
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE FUNCTION shop.pgproof_dual_city() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop, public, pg_temp AS $pgproof$
BEGIN
    -- What this does not stand on, and what a program of the new version has given itself, stays as it is.
    IF TG_OP = 'UPDATE' AND (NOT (NEW.code IS DISTINCT FROM OLD.code) OR NEW.country_id IS DISTINCT FROM OLD.country_id) THEN
        RETURN NEW;
    END IF;
    -- Only programs of the new version insert such a row.
    IF TG_OP = 'INSERT' AND (NEW.country_id IS NOT NULL OR NEW.code IS NULL) THEN
        RETURN NEW;
    END IF;
    NEW.country_id := (SELECT c.country_id FROM country AS c WHERE c.code = NEW.code);
    RETURN NEW;
END
$pgproof$;
CREATE TRIGGER pgproof_dual_city BEFORE INSERT OR UPDATE ON shop.city
    FOR EACH ROW EXECUTE FUNCTION shop.pgproof_dual_city();
COMMIT;

-- 6 backfill: fill country.country_id
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     country ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
-- check     this must return no row:
--           SELECT * FROM shop.country WHERE country_id IS NULL LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DO $pgproof$
#variable_conflict use_column
DECLARE
    pgproof_after_1 char(2);
    pgproof_upto_1 char(2);
    pgproof_begun boolean;
    pgproof_since timestamptz;
    pgproof_written bigint;
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('country.country_id') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::char(2)
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'country.country_id';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT code INTO pgproof_upto_1
            FROM (SELECT code FROM shop.country WHERE ROW(code) > ROW(pgproof_after_1) ORDER BY code LIMIT 5000) AS chunk
            ORDER BY code DESC LIMIT 1;
        ELSE
            SELECT code INTO pgproof_upto_1
            FROM (SELECT code FROM shop.country ORDER BY code LIMIT 5000) AS chunk
            ORDER BY code DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            UPDATE shop.country SET country_id = nextval('shop.country_country_id_filling')
                WHERE ROW(code) > ROW(pgproof_after_1) AND ROW(code) <= ROW(pgproof_upto_1) AND country_id IS NULL;
        ELSE
            UPDATE shop.country SET country_id = nextval('shop.country_country_id_filling')
                WHERE ROW(code) <= ROW(pgproof_upto_1) AND country_id IS NULL;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'country.country_id';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'country.country_id' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'country.country_id';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 7 backfill: fill city as the design says
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     city ROW EXCLUSIVE, a chunk of 5 rows at a time: nobody waits who reads or writes rows; DDL waits
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('city') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'city';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT city_id INTO pgproof_upto_1
            FROM (SELECT city_id, row_number() OVER (ORDER BY city_id) AS pgproof_number, lead(city_id) OVER (ORDER BY city_id) AS pgproof_next
                FROM (SELECT city_id FROM shop.city WHERE ROW(city_id) > ROW(pgproof_after_1) ORDER BY city_id LIMIT 6) AS found) AS chunk
            ORDER BY pgproof_number <= 5 AND pgproof_next IS DISTINCT FROM city_id DESC, city_id DESC LIMIT 1;
        ELSE
            SELECT city_id INTO pgproof_upto_1
            FROM (SELECT city_id, row_number() OVER (ORDER BY city_id) AS pgproof_number, lead(city_id) OVER (ORDER BY city_id) AS pgproof_next
                FROM (SELECT city_id FROM shop.city ORDER BY city_id LIMIT 6) AS found) AS chunk
            ORDER BY pgproof_number <= 5 AND pgproof_next IS DISTINCT FROM city_id DESC, city_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            PERFORM FROM shop.city WHERE ROW(city_id) > ROW(pgproof_after_1) AND ROW(city_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE city SET country_id = c.country_id FROM country AS c WHERE c.code = city.code AND city_id IN (SELECT city_id FROM city WHERE city_id <= pgproof_upto_1 AND city_id > pgproof_after_1 ORDER BY city_id LIMIT 5);
        ELSE
            PERFORM FROM shop.city WHERE ROW(city_id) <= ROW(pgproof_upto_1) FOR NO KEY UPDATE;
            UPDATE city SET country_id = c.country_id FROM country AS c WHERE c.code = city.code AND city_id IN (SELECT city_id FROM city WHERE city_id <= pgproof_upto_1 AND city_id > ((-9223372036854775808)::bigint) ORDER BY city_id LIMIT 5);
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        -- Rows that came into the chunk meanwhile have pushed its last ones out of the statement's LIMIT: the same chunk again, cut anew.
        IF pgproof_begun THEN
            SELECT count(*) INTO pgproof_seen FROM shop.city WHERE ROW(city_id) > ROW(pgproof_after_1) AND ROW(city_id) <= ROW(pgproof_upto_1);
        ELSE
            SELECT count(*) INTO pgproof_seen FROM shop.city WHERE ROW(city_id) <= ROW(pgproof_upto_1);
        END IF;
        IF pgproof_seen > 5 THEN
            pgproof_tries := pgproof_tries + 1;
            IF pgproof_tries > 20 THEN
                RAISE EXCEPTION 'more than % rows of % share one value of the key by which the backfill is cut: give it larger chunks, or another key', 5, 'city';
            END IF;
            COMMIT;
            CONTINUE;
        END IF;
        pgproof_tries := 0;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'city';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 1 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'city' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'city';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 8 validate: build index country_pkey_new on country
-- runs      outside a transaction
-- locks     country SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT country_id, count(*) FROM shop.country
--               WHERE ROW(country_id) IS NOT NULL GROUP BY country_id HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.country_pkey_new;
CREATE UNIQUE INDEX CONCURRENTLY country_pkey_new
    ON shop.country (country_id);

-- 9 validate: build index uq_country_code on country
-- runs      outside a transaction
-- locks     country SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT code, count(*) FROM shop.country
--               WHERE ROW(code) IS NOT NULL GROUP BY code HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_country_code;
CREATE UNIQUE INDEX CONCURRENTLY uq_country_code
    ON shop.country (code);

-- 10 validate: add unique uq_country_code of country
-- runs      in one transaction
-- locks     country ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.country
    ADD CONSTRAINT uq_country_code UNIQUE USING INDEX uq_country_code;
COMMIT;

-- 11 validate: add reference fk_city_country of city
-- runs      in one transaction
-- locks     city SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     country SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    ADD CONSTRAINT fk_city_country_new FOREIGN KEY (country_id)
        REFERENCES shop.country (country_id) ON DELETE NO ACTION NOT VALID;
COMMIT;

-- 12 validate: validate reference fk_city_country of city
-- runs      in one transaction
-- locks     city SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- locks     country ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT country_id FROM shop.city AS child WHERE child.country_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.country AS parent WHERE parent.country_id = child.country_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    VALIDATE CONSTRAINT fk_city_country_new;
COMMIT;

-- 13 validate: refuse new nulls in city.country_id
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    ADD CONSTRAINT city_country_id_not_null_proof CHECK (country_id IS NOT NULL) NOT VALID;
COMMIT;

-- 14 validate: prove that city.country_id has no nulls
-- runs      in one transaction
-- locks     city SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.city WHERE country_id IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    VALIDATE CONSTRAINT city_country_id_not_null_proof;
COMMIT;

-- 15 validate: make city.country_id NOT NULL
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    ALTER COLUMN country_id SET NOT NULL;
ALTER TABLE shop.city
    DROP CONSTRAINT city_country_id_not_null_proof;
COMMIT;

-- 16 validate: refuse new nulls in country.country_id
-- runs      in one transaction
-- locks     country ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.country
    ADD CONSTRAINT country_country_id_not_null_proof CHECK (country_id IS NOT NULL) NOT VALID;
COMMIT;

-- 17 validate: prove that country.country_id has no nulls
-- runs      in one transaction
-- locks     country SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT * FROM shop.country WHERE country_id IS NULL LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.country
    VALIDATE CONSTRAINT country_country_id_not_null_proof;
COMMIT;

-- 18 validate: make country.country_id NOT NULL
-- runs      in one transaction
-- locks     country ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   the validated check spares the scan
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.country
    ALTER COLUMN country_id SET NOT NULL;
ALTER TABLE shop.country
    DROP CONSTRAINT country_country_id_not_null_proof;
COMMIT;

-- 19 validate: gather statistics of city
-- runs      outside a transaction
-- locks     city SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.city;

-- 20 validate: gather statistics of country
-- runs      outside a transaction
-- locks     country SHARE UPDATE EXCLUSIVE, an instant: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   until then the planner guesses at what is new
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ANALYZE shop.country;

-- 21 switch: switch city, country
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- locks     country ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    DROP CONSTRAINT fk_city_country;
ALTER TABLE shop.country
    DROP CONSTRAINT country_pkey;
ALTER TABLE shop.country
    ADD CONSTRAINT country_pkey PRIMARY KEY USING INDEX country_pkey_new;
ALTER TABLE shop.city
    RENAME CONSTRAINT fk_city_country_new TO fk_city_country;
ALTER TABLE shop.country
    ALTER COLUMN country_id DROP DEFAULT;
ALTER TABLE shop.country
    ALTER COLUMN country_id ADD GENERATED BY DEFAULT AS IDENTITY;
SELECT setval(pg_get_serial_sequence('shop.country', 'country_id'), nextval('shop.country_country_id_filling'));
COMMIT;

-- 22 contract: no longer follow city
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TRIGGER pgproof_dual_city ON shop.city;
DROP FUNCTION shop.pgproof_dual_city();
COMMIT;

-- 23 contract: drop column city.code
-- runs      in one transaction
-- locks     city ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- HAZARD    data-loss:city.code: every value of city.code is gone
-- forward   only: the values are gone; restore them from a backup
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.city
    DROP COLUMN code;
COMMIT;

-- 24 contract: drop the sequence that filled country.country_id
-- runs      in one transaction
-- forward   only: its numbers are in use
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP SEQUENCE shop.country_country_id_filling;
COMMIT;

-- 25 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
