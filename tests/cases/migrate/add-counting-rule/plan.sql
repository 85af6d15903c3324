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

-- 2 expand: table few_orders_guard
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.few_orders_guard (
    customer_id bigint  NOT NULL,
    used        numeric NOT NULL DEFAULT 0,
    CONSTRAINT few_orders_guard_pkey PRIMARY KEY (customer_id)
);
COMMENT ON TABLE shop.few_orders_guard IS 'one group of orders; locked and counted by the triggers that keep `few-orders`';
COMMIT;

-- 3 expand: table little_money_guard
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.little_money_guard (
    "only" boolean NOT NULL DEFAULT true,
    used   numeric NOT NULL DEFAULT 0,
    CONSTRAINT little_money_guard_pkey PRIMARY KEY ("only")
);
COMMENT ON TABLE shop.little_money_guard IS 'one group of line; locked and counted by the triggers that keep `little-money`';
COMMIT;

-- 4 expand: function few_orders
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE FUNCTION shop.few_orders() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = shop, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  allowed numeric;
  share numeric;
  total numeric;
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.customer_id IS NOT NULL THEN
    share := (SELECT 1 FROM (SELECT (OLD).*) AS orders WHERE (state <> 'sent'));
    IF share <> 0 THEN
      INSERT INTO shop.few_orders_guard AS guard (customer_id, used) VALUES (OLD.customer_id, -share)
      ON CONFLICT (customer_id) DO UPDATE SET used = guard.used + EXCLUDED.used;
    END IF;
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.customer_id IS NOT NULL THEN
    share := (SELECT 1 FROM (SELECT (NEW).*) AS orders WHERE (state <> 'sent'));
    IF share <> 0 THEN
      allowed := 20;
      INSERT INTO shop.few_orders_guard AS guard (customer_id, used) VALUES (NEW.customer_id, share)
      ON CONFLICT (customer_id) DO UPDATE SET used = guard.used + EXCLUDED.used
      RETURNING guard.used INTO total;
      IF total > allowed THEN
        RAISE EXCEPTION USING
          ERRCODE = 'check_violation',
          MESSAGE = 'few-orders: a customer has too many orders that are not sent',
          CONSTRAINT = 'few_orders',
          TABLE = TG_TABLE_NAME,
          SCHEMA = TG_TABLE_SCHEMA;
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END
$$;
COMMIT;

-- 5 expand: function little_money
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE FUNCTION shop.little_money() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = shop, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  allowed numeric;
  share numeric;
  total numeric;
BEGIN
  IF TG_OP <> 'INSERT' AND TRUE THEN
    share := (SELECT coalesce(amount, 0) FROM (SELECT (OLD).*) AS line WHERE TRUE);
    IF share <> 0 THEN
      INSERT INTO shop.little_money_guard AS guard ("only", used) VALUES (true, -share)
      ON CONFLICT ("only") DO UPDATE SET used = guard.used + EXCLUDED.used;
    END IF;
  END IF;
  IF TG_OP <> 'DELETE' AND TRUE THEN
    share := (SELECT coalesce(amount, 0) FROM (SELECT (NEW).*) AS line WHERE TRUE);
    IF share <> 0 THEN
      allowed := 1000000;
      INSERT INTO shop.little_money_guard AS guard ("only", used) VALUES (true, share)
      ON CONFLICT ("only") DO UPDATE SET used = guard.used + EXCLUDED.used
      RETURNING guard.used INTO total;
      IF total > allowed THEN
        RAISE EXCEPTION USING
          ERRCODE = 'check_violation',
          MESSAGE = 'little-money: all lines together cost too much',
          CONSTRAINT = 'little_money',
          TABLE = TG_TABLE_NAME,
          SCHEMA = TG_TABLE_SCHEMA;
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END
$$;
COMMIT;

-- 6 validate: add trigger little_money of line
-- runs      in one transaction
-- locks     line SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TRIGGER little_money
    AFTER INSERT OR UPDATE OR DELETE ON shop.line
    FOR EACH ROW
    EXECUTE FUNCTION shop.little_money();
COMMIT;

-- 7 validate: add trigger few_orders of orders
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TRIGGER few_orders
    AFTER INSERT OR UPDATE OR DELETE ON shop.orders
    FOR EACH ROW
    EXECUTE FUNCTION shop.few_orders();
COMMIT;

-- 8 validate: a row in little_money_guard for each group of line
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
INSERT INTO shop.little_money_guard ("only") VALUES (true) ON CONFLICT DO NOTHING;
COMMIT;

-- 9 validate: count line into little_money_guard
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     little_money_guard ROW EXCLUSIVE, a chunk of 100 rows at a time: nobody waits who reads or writes rows; DDL waits
-- because   the trigger has counted only what was written since it is there; a group's writers wait while it is counted
-- HAZARD    stop:line: all of line is one group: its writers wait while every row is counted
-- check     this must return no row:
--           SELECT to_jsonb(found) AS found FROM (
--               SELECT "only", held.used AS used, to_jsonb(counted) AS counted
--               FROM shop.little_money_guard AS held
--               FULL JOIN (SELECT true AS "only", coalesce(sum(amount) FILTER (WHERE TRUE), 0) AS used FROM shop.line) AS counted USING ("only")
--               WHERE coalesce(held.used, 0) <> coalesce(counted.used, 0)) AS found
--               UNION ALL SELECT to_jsonb(found) FROM (
--                   SELECT totals.*, 1000000 AS allowed
--                   FROM (
--                     SELECT coalesce(sum(amount), 0) AS total
--                     FROM shop.line
--                     WHERE TRUE AND TRUE
--                   ) AS totals
--                   WHERE totals.total > 1000000) AS found
--           LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DO $pgproof$
#variable_conflict use_column
DECLARE
    pgproof_after_1 boolean;
    pgproof_upto_1 boolean;
    pgproof_begun boolean;
    pgproof_since timestamptz;
    pgproof_written bigint;
    pgproof_path text := current_setting('search_path');
    pgproof_policies text := current_setting('row_security');
BEGIN
    -- What the design names without its schema is found; a policy that would hide rows is an error, not silence.
    PERFORM set_config('search_path', 'shop, public', false), set_config('row_security', 'off', false);
    INSERT INTO shop.pgproof_progress (step) VALUES ('little_money_guard') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::boolean
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'little_money_guard';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT "only" INTO pgproof_upto_1
            FROM (SELECT "only" FROM shop.little_money_guard WHERE ROW("only") > ROW(pgproof_after_1) ORDER BY "only" LIMIT 100) AS chunk
            ORDER BY "only" DESC LIMIT 1;
        ELSE
            SELECT "only" INTO pgproof_upto_1
            FROM (SELECT "only" FROM shop.little_money_guard ORDER BY "only" LIMIT 100) AS chunk
            ORDER BY "only" DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '200ms', true);
                    PERFORM FROM shop.little_money_guard WHERE ROW("only") > ROW(pgproof_after_1) AND ROW("only") <= ROW(pgproof_upto_1) ORDER BY "only" FOR UPDATE;
                    UPDATE shop.little_money_guard AS guard SET used = coalesce(counted.used, 0)
                    FROM (SELECT "only" FROM shop.little_money_guard WHERE ROW("only") > ROW(pgproof_after_1) AND ROW("only") <= ROW(pgproof_upto_1)) AS held
                    LEFT JOIN (SELECT true AS "only", coalesce(sum(amount) FILTER (WHERE TRUE), 0) AS used FROM shop.line) AS counted USING ("only")
                    WHERE guard."only" = held."only";
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    PERFORM pg_sleep(0.1);
                END;
            END LOOP;
        ELSE
            LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '200ms', true);
                    PERFORM FROM shop.little_money_guard WHERE ROW("only") <= ROW(pgproof_upto_1) ORDER BY "only" FOR UPDATE;
                    UPDATE shop.little_money_guard AS guard SET used = coalesce(counted.used, 0)
                    FROM (SELECT "only" FROM shop.little_money_guard WHERE ROW("only") <= ROW(pgproof_upto_1)) AS held
                    LEFT JOIN (SELECT true AS "only", coalesce(sum(amount) FILTER (WHERE TRUE), 0) AS used FROM shop.line) AS counted USING ("only")
                    WHERE guard."only" = held."only";
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    PERFORM pg_sleep(0.1);
                END;
            END LOOP;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'little_money_guard';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'little_money_guard' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'little_money_guard';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 10 validate: a row in few_orders_guard for each group of orders
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     orders ROW EXCLUSIVE, a chunk of 5000 rows at a time: nobody waits who reads or writes rows; DDL waits
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('few_orders_guard groups') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::integer
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'few_orders_guard groups';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id FROM shop.orders WHERE ROW(order_id) > ROW(pgproof_after_1) ORDER BY order_id LIMIT 5000) AS chunk
            ORDER BY order_id DESC LIMIT 1;
        ELSE
            SELECT order_id INTO pgproof_upto_1
            FROM (SELECT order_id FROM shop.orders ORDER BY order_id LIMIT 5000) AS chunk
            ORDER BY order_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '200ms', true);
                    INSERT INTO shop.few_orders_guard (customer_id)
                    SELECT DISTINCT customer_id FROM shop.orders WHERE ROW(order_id) > ROW(pgproof_after_1) AND ROW(order_id) <= ROW(pgproof_upto_1) AND customer_id IS NOT NULL ORDER BY customer_id
                    ON CONFLICT DO NOTHING;
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    PERFORM pg_sleep(0.1);
                END;
            END LOOP;
        ELSE
            LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '200ms', true);
                    INSERT INTO shop.few_orders_guard (customer_id)
                    SELECT DISTINCT customer_id FROM shop.orders WHERE ROW(order_id) <= ROW(pgproof_upto_1) AND customer_id IS NOT NULL ORDER BY customer_id
                    ON CONFLICT DO NOTHING;
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    PERFORM pg_sleep(0.1);
                END;
            END LOOP;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'few_orders_guard groups';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'few_orders_guard groups' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'few_orders_guard groups';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 11 validate: count orders into few_orders_guard
-- runs      outside a transaction; commits after each chunk, goes on where it was when it is run again
-- locks     few_orders_guard ROW EXCLUSIVE, a chunk of 100 rows at a time: nobody waits who reads or writes rows; DDL waits
-- because   the trigger has counted only what was written since it is there; a group's writers wait while it is counted
-- check     this must return no row:
--           SELECT to_jsonb(found) AS found FROM (
--               SELECT customer_id, held.used AS used, to_jsonb(counted) AS counted
--               FROM shop.few_orders_guard AS held
--               FULL JOIN (SELECT customer_id, coalesce(count(*) FILTER (WHERE (state <> 'sent')), 0) AS used
--                   FROM shop.orders WHERE customer_id IS NOT NULL GROUP BY customer_id) AS counted USING (customer_id)
--               WHERE coalesce(held.used, 0) <> coalesce(counted.used, 0)) AS found
--               UNION ALL SELECT to_jsonb(found) FROM (
--                   SELECT totals.*, 20 AS allowed
--                   FROM (
--                     SELECT customer_id, count(*) AS total
--                     FROM shop.orders
--                     WHERE (state <> 'sent') AND customer_id IS NOT NULL
--                     GROUP BY customer_id
--                   ) AS totals
--                   WHERE totals.total > 20) AS found
--           LIMIT 10
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
    INSERT INTO shop.pgproof_progress (step) VALUES ('few_orders_guard') ON CONFLICT (step) DO NOTHING;
    SELECT progress.after IS NOT NULL, (progress.after ->> 0)::bigint
    INTO pgproof_begun, pgproof_after_1
    FROM shop.pgproof_progress AS progress WHERE progress.step = 'few_orders_guard';
    LOOP
        pgproof_since := clock_timestamp();
        IF pgproof_begun THEN
            SELECT customer_id INTO pgproof_upto_1
            FROM (SELECT customer_id FROM shop.few_orders_guard WHERE ROW(customer_id) > ROW(pgproof_after_1) ORDER BY customer_id LIMIT 100) AS chunk
            ORDER BY customer_id DESC LIMIT 1;
        ELSE
            SELECT customer_id INTO pgproof_upto_1
            FROM (SELECT customer_id FROM shop.few_orders_guard ORDER BY customer_id LIMIT 100) AS chunk
            ORDER BY customer_id DESC LIMIT 1;
        END IF;
        EXIT WHEN NOT FOUND;
        IF pgproof_begun THEN
            LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '200ms', true);
                    PERFORM FROM shop.few_orders_guard WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1) ORDER BY customer_id FOR UPDATE;
                    UPDATE shop.few_orders_guard AS guard SET used = coalesce(counted.used, 0)
                    FROM (SELECT customer_id FROM shop.few_orders_guard WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1)) AS held
                    LEFT JOIN (SELECT customer_id, coalesce(count(*) FILTER (WHERE (state <> 'sent')), 0) AS used
                        FROM shop.orders WHERE ROW(customer_id) > ROW(pgproof_after_1) AND ROW(customer_id) <= ROW(pgproof_upto_1) AND customer_id IS NOT NULL GROUP BY customer_id) AS counted USING (customer_id)
                    WHERE guard.customer_id = held.customer_id;
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    PERFORM pg_sleep(0.1);
                END;
            END LOOP;
        ELSE
            LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '200ms', true);
                    PERFORM FROM shop.few_orders_guard WHERE ROW(customer_id) <= ROW(pgproof_upto_1) ORDER BY customer_id FOR UPDATE;
                    UPDATE shop.few_orders_guard AS guard SET used = coalesce(counted.used, 0)
                    FROM (SELECT customer_id FROM shop.few_orders_guard WHERE ROW(customer_id) <= ROW(pgproof_upto_1)) AS held
                    LEFT JOIN (SELECT customer_id, coalesce(count(*) FILTER (WHERE (state <> 'sent')), 0) AS used
                        FROM shop.orders WHERE ROW(customer_id) <= ROW(pgproof_upto_1) AND customer_id IS NOT NULL GROUP BY customer_id) AS counted USING (customer_id)
                    WHERE guard.customer_id = held.customer_id;
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    PERFORM pg_sleep(0.1);
                END;
            END LOOP;
        END IF;
        GET DIAGNOSTICS pgproof_written = ROW_COUNT;
        pgproof_after_1 := pgproof_upto_1;
        pgproof_begun := true;
        UPDATE shop.pgproof_progress AS progress
        SET after = jsonb_build_array(pgproof_upto_1::text), rows = progress.rows + pgproof_written, changed_at = clock_timestamp()
        WHERE progress.step = 'few_orders_guard';
        COMMIT;
        PERFORM pg_sleep(greatest(extract(epoch FROM clock_timestamp() - pgproof_since), 50 / 1000.0));
        WHILE EXISTS (SELECT FROM shop.pgproof_progress AS progress WHERE progress.step = 'few_orders_guard' AND progress.paused)
            OR EXISTS (SELECT FROM pg_stat_replication WHERE replay_lag > make_interval(secs => 10))
        LOOP
            COMMIT;
            PERFORM pg_sleep(1);
        END LOOP;
    END LOOP;
    UPDATE shop.pgproof_progress AS progress SET finished_at = clock_timestamp() WHERE progress.step = 'few_orders_guard';
    PERFORM set_config('search_path', pgproof_path, false), set_config('row_security', pgproof_policies, false);
END
$pgproof$;

-- 12 contract: drop the progress of backfills
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
DROP TABLE IF EXISTS shop.pgproof_progress;
COMMIT;
