-- One statement a case: `--# name [severe | harmless] [from=MAJOR] [upto=MAJOR]`; `--setup` lines run before it.
-- Sessions of pgproof are in UTC: that a change between timestamp and timestamptz rewrites elsewhere is not seen here.
-- `sampled`: which of its locks are seen is chance; none may be seen that is not known.
-- `severe`: work in proportion to a table while readers or writers wait, or rows that are gone. `harmless`: neither, and nothing is lost or broken.

--# add-column harmless
ALTER TABLE orders ADD COLUMN z text;
--# add-column-constant harmless
ALTER TABLE orders ADD COLUMN z integer DEFAULT 7;
--# add-column-constant-not-null harmless
ALTER TABLE orders ADD COLUMN z integer NOT NULL DEFAULT 7;
--# add-column-now harmless
ALTER TABLE orders ADD COLUMN z timestamptz NOT NULL DEFAULT now();
--# add-column-stable-function harmless
ALTER TABLE orders ADD COLUMN z integer DEFAULT fixed_value();
--# add-column-cast harmless
ALTER TABLE orders ADD COLUMN z numeric(10,2) DEFAULT 0::numeric(10,2);
--# add-column-jsonb harmless
ALTER TABLE orders ADD COLUMN z jsonb NOT NULL DEFAULT '{}'::jsonb;
--# add-column-if-not-exists harmless
ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text DEFAULT random()::text;
--# add-column-volatile severe
ALTER TABLE orders ADD COLUMN z double precision DEFAULT random();
--# add-column-clock severe
ALTER TABLE orders ADD COLUMN z timestamptz DEFAULT clock_timestamp();
--# add-column-uuid severe
ALTER TABLE orders ADD COLUMN z uuid NOT NULL DEFAULT gen_random_uuid();
--# add-column-volatile-function severe
ALTER TABLE orders ADD COLUMN z integer DEFAULT any_value();
--# add-column-not-null severe
ALTER TABLE orders ADD COLUMN z text NOT NULL;
--# add-column-serial severe
ALTER TABLE orders ADD COLUMN z serial;
--# add-column-bigserial severe
ALTER TABLE orders ADD COLUMN z bigserial;
--# add-column-identity severe
ALTER TABLE orders ADD COLUMN z bigint GENERATED ALWAYS AS IDENTITY;
--# add-column-stored severe
ALTER TABLE orders ADD COLUMN z integer GENERATED ALWAYS AS (quantity * 2) STORED;
--# add-column-virtual harmless from=18
ALTER TABLE orders ADD COLUMN z integer GENERATED ALWAYS AS (quantity * 2) VIRTUAL;
--# add-column-domain severe
ALTER TABLE orders ADD COLUMN z positive;
--# add-column-domain-default severe
ALTER TABLE orders ADD COLUMN z positive DEFAULT 3;
--# add-column-domain-not-null severe
ALTER TABLE orders ADD COLUMN z present DEFAULT 'x';
--# add-column-free-domain harmless
ALTER TABLE orders ADD COLUMN z label DEFAULT 'x';
--# add-column-check severe
ALTER TABLE orders ADD COLUMN z integer CHECK (z > 0);
--# add-column-references
ALTER TABLE orders ADD COLUMN z bigint REFERENCES customers (id);
--# add-column-references-default severe
ALTER TABLE orders ADD COLUMN z bigint DEFAULT 1 REFERENCES customers (id);
--# add-column-unique severe
ALTER TABLE orders ADD COLUMN z integer UNIQUE;
--# add-column-primary-key severe
ALTER TABLE keyless ADD COLUMN z bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
--# add-column-partitioned harmless
ALTER TABLE events ADD COLUMN z integer;
--# add-column-partitioned-volatile severe
ALTER TABLE events ADD COLUMN z double precision DEFAULT random();
--# add-column-inherited harmless
ALTER TABLE parents ADD COLUMN z integer;
--# add-column-enum harmless
ALTER TABLE orders ADD COLUMN z mood DEFAULT 'calm';
--# add-two-columns severe
ALTER TABLE orders ADD COLUMN y integer, ADD COLUMN z uuid DEFAULT gen_random_uuid();

--# drop-column
ALTER TABLE orders DROP COLUMN state;
--# drop-column-index
ALTER TABLE customers DROP COLUMN name;
--# drop-column-foreign-key
ALTER TABLE orders DROP COLUMN customer_id;
--# drop-column-view
ALTER TABLE orders DROP COLUMN total;
--# drop-column-view-cascade
ALTER TABLE orders DROP COLUMN total CASCADE;
--# drop-column-missing harmless
ALTER TABLE orders DROP COLUMN IF EXISTS nothing;
--# drop-column-partitioned
ALTER TABLE events DROP COLUMN what;

--# type-int-bigint severe
ALTER TABLE keyless ALTER COLUMN b TYPE bigint;
--# type-smallint-integer severe
ALTER TABLE customers ALTER COLUMN size TYPE integer;
--# type-text-varchar severe
ALTER TABLE refs ALTER COLUMN note TYPE varchar(100);
--# type-varchar-narrower severe
ALTER TABLE customers ALTER COLUMN name TYPE varchar(20);
--# type-varchar-wider harmless
ALTER TABLE customers ALTER COLUMN name TYPE varchar(80);
--# type-varchar-text harmless
ALTER TABLE customers ALTER COLUMN name TYPE text;
--# type-varchar-unbound harmless
ALTER TABLE customers ALTER COLUMN name TYPE varchar;
--# type-varchar-checked severe
ALTER TABLE orders ALTER COLUMN memo TYPE varchar(40);
--# type-numeric-wider harmless
ALTER TABLE customers ALTER COLUMN amount TYPE numeric(14,2);
--# type-numeric-unbound harmless
ALTER TABLE customers ALTER COLUMN amount TYPE numeric;
--# type-numeric-scale severe
ALTER TABLE customers ALTER COLUMN amount TYPE numeric(14,4);
--# type-char-wider severe
ALTER TABLE customers ALTER COLUMN short TYPE char(8);
--# type-char-text severe
ALTER TABLE customers ALTER COLUMN short TYPE text;
--# type-cidr-inet harmless
ALTER TABLE customers ALTER COLUMN net TYPE inet;
--# type-timestamptz-precision severe
ALTER TABLE customers ALTER COLUMN seen TYPE timestamptz(3);
--# type-timestamp-utc harmless
--setup SET timezone = 'UTC';
ALTER TABLE customers ALTER COLUMN seen TYPE timestamp;
--# type-timestamp-utc-indexed severe
--setup SET timezone = 'UTC';
ALTER TABLE customers ALTER COLUMN made TYPE timestamptz;
--# type-same harmless
ALTER TABLE orders ALTER COLUMN note TYPE text;
--# type-using-same harmless
ALTER TABLE customers ALTER COLUMN name TYPE text USING name::text;
--# type-using severe
ALTER TABLE refs ALTER COLUMN note TYPE text USING lower(note);
--# type-text-integer severe
ALTER TABLE refs ALTER COLUMN note TYPE integer USING length(note);
--# type-enum-text severe
ALTER TABLE customers ALTER COLUMN mood TYPE text;
--# type-text-domain severe
ALTER TABLE refs ALTER COLUMN note TYPE present;
--# type-text-free-domain harmless
ALTER TABLE refs ALTER COLUMN note TYPE label;
--# type-domain-base harmless
ALTER TABLE customers ALTER COLUMN nick TYPE text;
--# type-partial-index severe
ALTER TABLE customers ALTER COLUMN ref TYPE varchar;
--# type-collation severe
ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE "C";
--# type-collation-bare harmless
ALTER TABLE refs ALTER COLUMN note TYPE text COLLATE "C";
--# type-referencing severe
ALTER TABLE orders ALTER COLUMN customer_id TYPE integer;
--# type-referenced severe
ALTER TABLE orders ALTER COLUMN id TYPE numeric;
--# type-view
ALTER TABLE orders ALTER COLUMN total TYPE numeric(20,2);
--# type-partitioned severe
ALTER TABLE measures ALTER COLUMN id TYPE numeric;

--# set-not-null severe
ALTER TABLE refs ALTER COLUMN a SET NOT NULL;
--# set-not-null-proven harmless
ALTER TABLE customers ALTER COLUMN level SET NOT NULL;
--# set-not-null-again harmless
ALTER TABLE orders ALTER COLUMN tag SET NOT NULL;
--# set-not-null-unproven severe
--setup ALTER TABLE refs ADD CONSTRAINT refs_a_set CHECK (a IS NOT NULL) NOT VALID;
ALTER TABLE refs ALTER COLUMN a SET NOT NULL;
--# set-not-null-validated harmless
--setup ALTER TABLE refs ADD CONSTRAINT refs_a_set CHECK (a IS NOT NULL) NOT VALID;
--setup ALTER TABLE refs VALIDATE CONSTRAINT refs_a_set;
ALTER TABLE refs ALTER COLUMN a SET NOT NULL;
--# set-not-null-conjunct harmless
--setup ALTER TABLE refs ADD CONSTRAINT refs_set CHECK (a > 0 AND note IS NOT NULL AND a IS NOT NULL);
ALTER TABLE refs ALTER COLUMN a SET NOT NULL;
--# set-not-null-disjunct severe
--setup ALTER TABLE refs ADD CONSTRAINT refs_set CHECK (a IS NOT NULL OR note IS NOT NULL);
ALTER TABLE refs ALTER COLUMN a SET NOT NULL;
--# set-not-null-partitioned severe
ALTER TABLE events ALTER COLUMN what SET NOT NULL;
--# not-null-constraint severe from=18
ALTER TABLE refs ADD CONSTRAINT refs_a_set NOT NULL a;
--# not-null-constraint-not-valid harmless from=18
ALTER TABLE refs ADD CONSTRAINT refs_a_set NOT NULL a NOT VALID;
--# not-null-constraint-validate harmless from=18
--setup ALTER TABLE refs ADD CONSTRAINT refs_a_set NOT NULL a NOT VALID;
ALTER TABLE refs VALIDATE CONSTRAINT refs_a_set;
--# drop-not-null harmless
ALTER TABLE orders ALTER COLUMN tag DROP NOT NULL;
--# set-default harmless
ALTER TABLE orders ALTER COLUMN note SET DEFAULT random()::text;
--# set-default-partitioned harmless
ALTER TABLE events ALTER COLUMN what SET DEFAULT 'x';
--# drop-default harmless
ALTER TABLE orders ALTER COLUMN placed DROP DEFAULT;
--# add-identity harmless
ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
--# set-statistics harmless
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 500;
--# set-n-distinct harmless
ALTER TABLE orders ALTER COLUMN note SET (n_distinct = 5);
--# set-storage harmless
ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL;
--# set-compression harmless
ALTER TABLE orders ALTER COLUMN note SET COMPRESSION pglz;
--# set-expression severe from=17
--setup ALTER TABLE orders ADD COLUMN twice integer GENERATED ALWAYS AS (quantity * 2) STORED;
ALTER TABLE orders ALTER COLUMN twice SET EXPRESSION AS (quantity * 3);
--# drop-expression harmless
--setup ALTER TABLE orders ADD COLUMN twice integer GENERATED ALWAYS AS (quantity * 2) STORED;
ALTER TABLE orders ALTER COLUMN twice DROP EXPRESSION;

--# add-check severe
ALTER TABLE orders ADD CONSTRAINT positive_tag CHECK (tag > 0);
--# add-check-not-valid harmless
ALTER TABLE orders ADD CONSTRAINT positive_tag CHECK (tag > 0) NOT VALID;
--# add-check-partitioned severe
ALTER TABLE events ADD CONSTRAINT known CHECK (what <> '');
--# add-check-inherited severe
ALTER TABLE parents ADD CONSTRAINT known CHECK (a > 0);
--# add-check-not-enforced harmless from=18
ALTER TABLE orders ADD CONSTRAINT positive_tag CHECK (tag > 0) NOT ENFORCED;
--# validate-check harmless
ALTER TABLE orders VALIDATE CONSTRAINT orders_total_open;
--# validate-check-again harmless
ALTER TABLE orders VALIDATE CONSTRAINT orders_quantity_check;
--# validate-foreign-key harmless
ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_fk;
--# drop-check harmless
ALTER TABLE orders DROP CONSTRAINT orders_quantity_check;
--# rename-constraint harmless
ALTER TABLE orders RENAME CONSTRAINT orders_quantity_check TO orders_quantity;
--# add-foreign-key severe
ALTER TABLE refs ADD CONSTRAINT refs_fk FOREIGN KEY (a) REFERENCES customers (id);
--# add-foreign-key-not-valid harmless
ALTER TABLE refs ADD CONSTRAINT refs_fk FOREIGN KEY (a) REFERENCES customers (id) NOT VALID;
--# add-foreign-key-partitioned severe
ALTER TABLE events ADD CONSTRAINT events_fk FOREIGN KEY (customer_id) REFERENCES customers (id);
--# add-foreign-key-partitioned-not-valid
ALTER TABLE events ADD CONSTRAINT events_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
--# add-foreign-key-parts-have-it harmless
--setup ALTER TABLE measures_2024 ADD CONSTRAINT measures_fk FOREIGN KEY (id) REFERENCES customers (id) NOT VALID;
--setup ALTER TABLE measures_2024 VALIDATE CONSTRAINT measures_fk;
--setup ALTER TABLE measures_2025 ADD CONSTRAINT measures_fk FOREIGN KEY (id) REFERENCES customers (id);
ALTER TABLE measures ADD CONSTRAINT measures_fk FOREIGN KEY (id) REFERENCES customers (id);
--# validate-partition-foreign-key harmless
--setup ALTER TABLE measures_2024 ADD CONSTRAINT measures_fk FOREIGN KEY (id) REFERENCES customers (id) NOT VALID;
ALTER TABLE measures_2024 VALIDATE CONSTRAINT measures_fk;
--# add-foreign-key-not-enforced harmless from=18
ALTER TABLE refs ADD CONSTRAINT refs_fk FOREIGN KEY (a) REFERENCES customers (id) NOT ENFORCED;
--# enforce-foreign-key severe from=18
--setup ALTER TABLE refs ADD CONSTRAINT refs_fk FOREIGN KEY (a) REFERENCES customers (id) NOT ENFORCED;
ALTER TABLE refs ALTER CONSTRAINT refs_fk ENFORCED;
--# defer-foreign-key harmless
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk DEFERRABLE;
--# drop-foreign-key
ALTER TABLE orders DROP CONSTRAINT orders_customer_fk;
--# add-unique severe
ALTER TABLE keyless ADD CONSTRAINT keyless_b_key UNIQUE (b);
--# add-unique-nulls severe from=15
ALTER TABLE keyless ADD CONSTRAINT keyless_b_key UNIQUE NULLS NOT DISTINCT (b);
--# add-unique-using-index harmless
ALTER TABLE keyless ADD CONSTRAINT keyless_d_key UNIQUE USING INDEX keyless_d_idx;
--# add-primary-key severe
ALTER TABLE keyless ADD PRIMARY KEY (b);
--# add-primary-key-not-null severe
ALTER TABLE keyless ADD PRIMARY KEY (d);
--# add-primary-key-using-index harmless
ALTER TABLE keyless ADD CONSTRAINT keyless_pkey PRIMARY KEY USING INDEX keyless_d_idx;
--# add-primary-key-using-nullable-index severe
ALTER TABLE keyless ADD CONSTRAINT keyless_pkey PRIMARY KEY USING INDEX keyless_a_idx;
--# add-primary-key-using-proven-index harmless from=18
--setup ALTER TABLE keyless ADD CONSTRAINT keyless_a_set NOT NULL a NOT VALID;
--setup ALTER TABLE keyless VALIDATE CONSTRAINT keyless_a_set;
ALTER TABLE keyless ADD CONSTRAINT keyless_pkey PRIMARY KEY USING INDEX keyless_a_idx;
--# add-unique-partitioned severe
ALTER TABLE measures ADD CONSTRAINT measures_key UNIQUE (id, at);
--# add-unique-parts-have-it harmless
--setup ALTER TABLE measures_2024 ADD CONSTRAINT measures_2024_key UNIQUE (id, at);
--setup CREATE UNIQUE INDEX measures_2025_new ON measures_2025 (id, at);
--setup ALTER TABLE measures_2025 ADD CONSTRAINT measures_2025_key UNIQUE USING INDEX measures_2025_new;
ALTER TABLE measures ADD CONSTRAINT measures_key UNIQUE (id, at);
--# add-unique-one-part-has-it severe
--setup ALTER TABLE measures_2024 ADD CONSTRAINT measures_2024_key UNIQUE (id, at);
ALTER TABLE measures ADD CONSTRAINT measures_key UNIQUE (id, at);
--# add-primary-key-partitioned severe
ALTER TABLE measures ADD PRIMARY KEY (id, at);
--# add-primary-key-partitioned-nullable severe
--setup DELETE FROM measures;
ALTER TABLE measures ADD PRIMARY KEY (what, at);
--# add-primary-key-parts-have-it harmless
--setup ALTER TABLE measures_2024 ADD CONSTRAINT measures_2024_pkey PRIMARY KEY (id, at);
--setup ALTER TABLE measures_2025 ADD CONSTRAINT measures_2025_pkey PRIMARY KEY (id, at);
ALTER TABLE measures ADD PRIMARY KEY (id, at);
--# rename-key-partitioned harmless
--setup ALTER TABLE measures ADD CONSTRAINT measures_key UNIQUE (id, at);
ALTER TABLE measures RENAME CONSTRAINT measures_key TO measures_id_key;
--# rename-check-partitioned harmless
--setup ALTER TABLE measures ADD CONSTRAINT known CHECK (what <> '');
ALTER TABLE measures RENAME CONSTRAINT known TO is_known;
--# drop-unique-partitioned harmless
--setup ALTER TABLE measures ADD CONSTRAINT measures_key UNIQUE (id, at);
ALTER TABLE measures DROP CONSTRAINT measures_key;
--# add-exclude severe
ALTER TABLE keyless ADD CONSTRAINT keyless_excl EXCLUDE USING btree (b WITH =);
--# drop-unique harmless
ALTER TABLE customers DROP CONSTRAINT customers_email_key;
--# drop-primary-key-needed
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
--# drop-primary-key-cascade
ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE;

--# create-index severe
CREATE INDEX orders_state_idx ON orders (state);
--# create-unique-index severe
CREATE UNIQUE INDEX orders_quantity_idx ON refs (a);
--# create-index-hash severe
CREATE INDEX ON orders USING hash (state);
--# create-index-concurrently harmless
CREATE INDEX CONCURRENTLY orders_state_idx ON orders (state);
--# create-index-concurrently-fails
CREATE UNIQUE INDEX CONCURRENTLY orders_state_idx ON orders (state);
--# create-index-if-not-exists harmless
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_note_idx ON orders (note);
--# create-index-partitioned severe
CREATE INDEX events_what_idx ON events (what);
--# create-index-partitioned-only harmless
CREATE INDEX events_what_idx ON ONLY events (what);
--# create-index-partitioned-concurrently
CREATE INDEX CONCURRENTLY events_what_idx ON events (what);
--# create-index-partition-concurrently harmless
CREATE INDEX CONCURRENTLY events_2024_what_idx ON events_2024 (what);
--# create-index-matview severe
CREATE INDEX order_stats_n_idx ON order_stats (n);
--# attach-index harmless
--setup CREATE INDEX events_what_idx ON ONLY events (what);
--setup CREATE INDEX events_2024_what_idx ON events_2024 (what);
ALTER INDEX events_what_idx ATTACH PARTITION events_2024_what_idx;
--# drop-index
DROP INDEX orders_note_idx;
--# drop-index-concurrently harmless
DROP INDEX CONCURRENTLY orders_note_idx;
--# drop-index-missing harmless
DROP INDEX IF EXISTS nothing_idx;
--# drop-index-of-constraint
DROP INDEX orders_pkey;
--# drop-index-partitioned
DROP INDEX events_id_idx;
--# rename-index harmless
ALTER INDEX orders_note_idx RENAME TO orders_note_index;
--# index-fillfactor harmless
ALTER INDEX orders_note_idx SET (fillfactor = 80);
--# reindex-index severe
REINDEX INDEX orders_note_idx;
--# reindex-table severe
REINDEX TABLE orders;
--# reindex-table-concurrently harmless
REINDEX TABLE CONCURRENTLY orders;
--# reindex-index-concurrently harmless
REINDEX INDEX CONCURRENTLY orders_note_idx;
--# reindex-partitioned severe sampled
REINDEX TABLE events;

--# rename-table
ALTER TABLE refs RENAME TO references_old;
--# rename-column
ALTER TABLE orders RENAME COLUMN note TO remark;
--# rename-column-partitioned
ALTER TABLE events RENAME COLUMN what TO kind;
--# set-schema
ALTER TABLE refs SET SCHEMA attic;
--# drop-table severe
DROP TABLE refs;
--# drop-table-referencing severe
DROP TABLE items;
--# drop-table-referenced
DROP TABLE orders;
--# drop-table-cascade severe
DROP TABLE orders CASCADE;
--# drop-table-missing harmless
DROP TABLE IF EXISTS nothing;
--# drop-partition severe
DROP TABLE measures_2024;
--# drop-partition-default severe
DROP TABLE events_2024;
--# drop-partitioned severe
DROP TABLE measures;
--# drop-schema severe
DROP SCHEMA attic CASCADE;
--# drop-type-cascade severe
DROP TYPE mood CASCADE;
--# drop-type-used
DROP TYPE mood;
--# drop-domain-cascade severe
DROP DOMAIN positive CASCADE;
--# drop-function-cascade
DROP FUNCTION touch() CASCADE;
--# truncate severe
TRUNCATE refs;
--# truncate-referenced
TRUNCATE customers;
--# truncate-cascade severe
TRUNCATE orders CASCADE;
--# truncate-partitioned severe
TRUNCATE measures;

--# vacuum harmless
VACUUM orders;
--# vacuum-analyze harmless
VACUUM (ANALYZE) orders;
--# vacuum-full severe
VACUUM FULL refs;
--# vacuum-option-full severe
VACUUM (FULL, VERBOSE off) refs;
--# analyze harmless
ANALYZE orders;
--# cluster severe
CLUSTER orders USING orders_note_idx;
--# set-unlogged severe
ALTER TABLE refs SET UNLOGGED;
--# set-logged severe
ALTER TABLE drafts SET LOGGED;
--# set-logged-again harmless
ALTER TABLE refs SET LOGGED;
--# set-tablespace-again harmless
ALTER TABLE orders SET TABLESPACE pg_default;
--# index-set-tablespace-again harmless
ALTER INDEX orders_note_idx SET TABLESPACE pg_default;
--# set-fillfactor harmless
ALTER TABLE orders SET (fillfactor = 90);
--# set-autovacuum harmless
ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.05);
--# cluster-on harmless
ALTER TABLE orders CLUSTER ON orders_note_idx;
--# refresh severe
REFRESH MATERIALIZED VIEW order_stats;
--# refresh-concurrently
REFRESH MATERIALIZED VIEW CONCURRENTLY order_stats;
--# refresh-no-data
REFRESH MATERIALIZED VIEW order_stats WITH NO DATA;

--# attach-unproven severe
ALTER TABLE measures ATTACH PARTITION measures_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--# attach-proven harmless
ALTER TABLE measures ATTACH PARTITION measures_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
--# attach-list-proven harmless
ALTER TABLE kinds ATTACH PARTITION kinds_b FOR VALUES IN ('b');
--# attach-beside-default severe
--setup CREATE TABLE events_2027 (id bigint NOT NULL, at date NOT NULL, what text, customer_id bigint, CHECK (at >= DATE '2027-01-01' AND at < DATE '2028-01-01'));
--setup CREATE INDEX ON events_2027 (id);
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--# attach-index-missing severe
--setup ALTER TABLE measures ADD PRIMARY KEY (id, at);
ALTER TABLE measures ATTACH PARTITION measures_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
--# partition-of
CREATE TABLE measures_2028 PARTITION OF measures FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
--# partition-of-beside-default severe
CREATE TABLE events_2028 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
--# partition-of-referencing
--setup ALTER TABLE measures ADD CONSTRAINT measures_fk FOREIGN KEY (id) REFERENCES customers (id);
CREATE TABLE measures_2028 PARTITION OF measures FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
--# attach-default-excluded harmless
--setup CREATE TABLE events_2027 (id bigint NOT NULL, at date NOT NULL, what text, customer_id bigint, CHECK (at >= DATE '2027-01-01' AND at < DATE '2028-01-01'));
--setup CREATE INDEX ON events_2027 (id);
--setup ALTER TABLE events_rest ADD CONSTRAINT rest CHECK (at < DATE '2027-01-01' OR at >= DATE '2028-01-01') NOT VALID;
--setup ALTER TABLE events_rest VALIDATE CONSTRAINT rest;
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
--# partition-of-default-excluded
--setup ALTER TABLE events_rest ADD CONSTRAINT rest CHECK (at < '2028-01-01' OR at >= '2029-01-01');
CREATE TABLE events_2028 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
--# detach
ALTER TABLE measures DETACH PARTITION measures_2024;
--# detach-beside-default
ALTER TABLE events DETACH PARTITION events_2024;
--# detach-concurrently harmless sampled
ALTER TABLE measures DETACH PARTITION measures_2024 CONCURRENTLY;
--# detach-concurrently-default
ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;
--# create-table harmless
CREATE TABLE fresh (id bigint PRIMARY KEY, v text);
--# create-table-referencing
CREATE TABLE fresh (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers (id));
--# create-table-like harmless
CREATE TABLE fresh (LIKE orders INCLUDING ALL);
--# create-table-as harmless
CREATE TABLE fresh AS SELECT * FROM orders;
--# create-table-inherits harmless
CREATE TABLE fresh () INHERITS (parents);
--# inherit harmless
ALTER TABLE loose INHERIT parents;
--# no-inherit
ALTER TABLE children NO INHERIT parents;

--# domain-add-check severe
ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 100);
--# domain-add-check-not-valid harmless
ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 100) NOT VALID;
--# domain-validate-check
--setup ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 100) NOT VALID;
ALTER DOMAIN positive VALIDATE CONSTRAINT small;
--# domain-set-not-null severe
ALTER DOMAIN positive SET NOT NULL;
--# domain-default harmless
ALTER DOMAIN positive SET DEFAULT 5;
--# domain-drop-check harmless
ALTER DOMAIN positive DROP CONSTRAINT positive_check;
--# enum-add-value harmless
ALTER TYPE mood ADD VALUE 'glad' BEFORE 'loud';
--# enum-rename-value
ALTER TYPE mood RENAME VALUE 'calm' TO 'still';
--# create-type harmless
CREATE TYPE size AS ENUM ('s', 'm');

--# create-trigger
CREATE TRIGGER refs_touch BEFORE INSERT ON refs FOR EACH ROW EXECUTE FUNCTION touch();
--# create-trigger-partitioned
CREATE TRIGGER events_touch BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch();
--# drop-trigger
DROP TRIGGER orders_touch ON orders;
--# disable-trigger
ALTER TABLE orders DISABLE TRIGGER orders_touch;
--# enable-trigger
ALTER TABLE orders ENABLE TRIGGER orders_touch;
--# create-rule
CREATE RULE refs_rule AS ON DELETE TO refs DO INSTEAD NOTHING;
--# create-policy
CREATE POLICY own ON orders USING (tag > 0);
--# enable-row-security
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
--# replica-identity
ALTER TABLE orders REPLICA IDENTITY FULL;
--# owner-to
ALTER TABLE refs OWNER TO CURRENT_USER;
--# comment-table harmless
COMMENT ON TABLE orders IS 'orders';
--# comment-column harmless
COMMENT ON COLUMN orders.note IS 'note';
--# comment-constraint harmless
COMMENT ON CONSTRAINT orders_quantity_check ON orders IS 'more than none';
--# create-statistics harmless
CREATE STATISTICS orders_stat ON note, state FROM orders;
--# grant harmless
GRANT SELECT ON orders TO PUBLIC;
--# create-view harmless
CREATE VIEW fresh AS SELECT id FROM orders;
--# replace-view harmless
CREATE OR REPLACE VIEW order_view AS SELECT id, total FROM orders WHERE total > 0;
--# create-matview harmless
CREATE MATERIALIZED VIEW fresh AS SELECT count(*) FROM orders;
--# drop-view
DROP VIEW order_view;
--# create-sequence harmless
CREATE SEQUENCE more OWNED BY orders.id;
--# alter-sequence harmless
ALTER SEQUENCE numbers OWNED BY orders.id;
--# create-function harmless
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
--# lock-table
LOCK TABLE orders IN SHARE MODE;
--# insert harmless
INSERT INTO refs VALUES (1, 'n');
--# update-one harmless
UPDATE refs SET note = 'x' WHERE a = 1;
--# update-all
UPDATE refs SET note = 'x';
--# delete-all severe
DELETE FROM refs;

--# add-column-array-default harmless
ALTER TABLE orders ADD COLUMN z integer[] NOT NULL DEFAULT '{1,2}';
--# add-column-transaction-time harmless
ALTER TABLE orders ADD COLUMN z timestamptz DEFAULT transaction_timestamp() + interval '1 day';
--# add-column-statement-time harmless
ALTER TABLE orders ADD COLUMN z date NOT NULL DEFAULT CURRENT_DATE;
--# add-column-nextval severe
ALTER TABLE orders ADD COLUMN z bigint DEFAULT nextval('numbers');
--# add-column-volatile-hidden severe
ALTER TABLE orders ADD COLUMN z integer DEFAULT coalesce(NULL, (random() * 10)::integer);
--# add-column-text-of-uuid severe
ALTER TABLE orders ADD COLUMN z text DEFAULT 'x' || gen_random_uuid();
--# add-column-current-user harmless
ALTER TABLE orders ADD COLUMN z text NOT NULL DEFAULT current_user;
--# add-column-setting harmless
ALTER TABLE orders ADD COLUMN z text DEFAULT current_setting('work_mem');
--# add-column-explicit-null harmless
ALTER TABLE orders ADD COLUMN z integer NULL DEFAULT NULL;
--# add-column-composite harmless
ALTER TABLE orders ADD COLUMN z pair DEFAULT ROW(1, 'a')::pair;
--# add-column-default-and-check severe
ALTER TABLE orders ADD COLUMN z integer NOT NULL DEFAULT 1 CONSTRAINT z_positive CHECK (z > 0);
--# add-column-generated-constant severe
ALTER TABLE refs ADD COLUMN z integer GENERATED ALWAYS AS (7) STORED;
--# add-column-collate harmless
ALTER TABLE orders ADD COLUMN z text COLLATE "C" DEFAULT 'a';
--# add-column-then-not-null severe
ALTER TABLE orders ADD COLUMN z integer DEFAULT 3, ALTER COLUMN z SET NOT NULL;
--# add-column-to-view-table harmless
ALTER TABLE IF EXISTS orders ADD COLUMN IF NOT EXISTS z text;
--# add-column-missing-table harmless
ALTER TABLE IF EXISTS nothing ADD COLUMN z text NOT NULL;
--# two-not-null-changes severe
ALTER TABLE keyless ALTER COLUMN b SET NOT NULL, ALTER COLUMN c SET NOT NULL;
--# set-not-null-by-range harmless
--setup ALTER TABLE keyless ADD CONSTRAINT keyless_b_range CHECK (b > 0 AND b IS NOT NULL) NOT VALID;
--setup ALTER TABLE keyless VALIDATE CONSTRAINT keyless_b_range;
ALTER TABLE keyless ALTER COLUMN b SET NOT NULL;
--# set-not-null-strict-check severe
--setup ALTER TABLE keyless ADD CONSTRAINT keyless_b_range CHECK (b > 0);
ALTER TABLE keyless ALTER COLUMN b SET NOT NULL;
--# set-not-null-and-drop-proof
ALTER TABLE customers ALTER COLUMN level SET NOT NULL, DROP CONSTRAINT customers_level_set;
--# type-and-default severe
ALTER TABLE keyless ALTER COLUMN b TYPE bigint, ALTER COLUMN b SET DEFAULT 0;
--# type-two-harmless harmless
ALTER TABLE customers ALTER COLUMN name TYPE varchar(60), ALTER COLUMN amount TYPE numeric(16,2);
--# type-varbit-like severe
ALTER TABLE customers ALTER COLUMN amount TYPE numeric(8,2);
--# type-interval-text severe
ALTER TABLE refs ALTER COLUMN note TYPE text COLLATE "C" USING note || '';
--# type-text-citextless severe
ALTER TABLE refs ALTER COLUMN note TYPE char(10);
--# type-text-name severe
ALTER TABLE refs ALTER COLUMN note TYPE name;
--# type-varchar-array severe
ALTER TABLE refs ALTER COLUMN note TYPE text[] USING ARRAY[note];
--# type-timestamptz-date severe
ALTER TABLE customers ALTER COLUMN seen TYPE date;
--# type-of-constrained-fk-parent severe
ALTER TABLE customers ALTER COLUMN id TYPE numeric;
--# set-data-type-word severe
ALTER TABLE keyless ALTER b SET DATA TYPE bigint;
--# set-storage-inline harmless
ALTER TABLE orders ALTER note SET STORAGE PLAIN, ALTER note SET STATISTICS -1;
--# reset-options harmless
ALTER TABLE orders RESET (fillfactor, autovacuum_enabled);
--# add-check-and-validate severe
ALTER TABLE orders ADD CONSTRAINT positive_tag CHECK (tag > 0) NOT VALID, VALIDATE CONSTRAINT orders_total_open;
--# add-check-no-inherit severe
ALTER TABLE parents ADD CONSTRAINT known CHECK (a > 0) NO INHERIT;
--# add-check-true severe
ALTER TABLE orders ADD CHECK (quantity > 0 OR quantity IS NULL);
--# drop-constraint-missing harmless
ALTER TABLE orders DROP CONSTRAINT IF EXISTS nothing;
--# drop-foreign-key-not-valid
ALTER TABLE orders DROP CONSTRAINT orders_buyer_fk;
--# add-foreign-key-self severe
ALTER TABLE orders ADD CONSTRAINT orders_self FOREIGN KEY (tag) REFERENCES orders (tag);
--# add-foreign-key-self-not-valid harmless
ALTER TABLE orders ADD CONSTRAINT orders_self FOREIGN KEY (tag) REFERENCES orders (tag) NOT VALID;
--# drop-unique-referenced-cascade
ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE;
--# unique-deferrable severe
ALTER TABLE keyless ADD UNIQUE (b) DEFERRABLE INITIALLY DEFERRED;
--# create-index-on-expression severe
CREATE INDEX ON orders ((total * quantity)) WHERE state IS NOT NULL;
--# create-index-include-concurrently harmless
CREATE INDEX CONCURRENTLY ON orders (state) INCLUDE (total) WHERE total > 0;
--# create-index-if-not-exists-plain harmless
CREATE INDEX IF NOT EXISTS orders_note_idx ON orders (note);
--# drop-two-indexes
DROP INDEX orders_note_idx, customers_made_idx;
--# reindex-schema-concurrently
REINDEX (CONCURRENTLY) TABLE orders;
--# cluster-again severe
--setup ALTER TABLE orders CLUSTER ON orders_note_idx;
CLUSTER orders;
--# vacuum-freeze harmless
VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) refs;
--# truncate-restart severe
TRUNCATE TABLE ONLY refs RESTART IDENTITY;
--# attach-list-part-proven harmless
ALTER TABLE kinds ATTACH PARTITION kinds_b FOR VALUES IN ('b', 'c');
--# attach-default severe
--setup CREATE TABLE measures_rest (id bigint NOT NULL, at date NOT NULL, what text);
ALTER TABLE measures ATTACH PARTITION measures_rest DEFAULT;
--# partition-of-list
CREATE TABLE kinds_c PARTITION OF kinds FOR VALUES IN ('c');
--# partition-of-default
CREATE TABLE measures_rest PARTITION OF measures DEFAULT;
--# drop-default-partition severe
DROP TABLE events_rest;
--# detach-default
ALTER TABLE events DETACH PARTITION events_rest;
--# trigger-after-statement
CREATE TRIGGER refs_after AFTER UPDATE OF note ON refs FOR EACH STATEMENT EXECUTE FUNCTION touch();
--# constraint-trigger
CREATE CONSTRAINT TRIGGER refs_checked AFTER INSERT ON refs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch();
--# disable-all-triggers
ALTER TABLE orders DISABLE TRIGGER USER;
--# rename-trigger
ALTER TRIGGER orders_touch ON orders RENAME TO orders_touched;
--# rename-view harmless
ALTER VIEW order_view SET (security_barrier = true);
--# rename-type
ALTER TYPE mood RENAME TO temper;
--# enum-add-value-if-not-exists harmless
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'calm';
--# domain-rename
ALTER DOMAIN label RENAME TO sticker;
--# domain-drop-not-null harmless
ALTER DOMAIN present DROP NOT NULL;
--# drop-sequence harmless
DROP SEQUENCE numbers;
--# drop-column-if-exists-cascade
ALTER TABLE IF EXISTS orders DROP COLUMN IF EXISTS memo CASCADE;
--# drop-not-null-and-default harmless
ALTER TABLE orders ALTER tag DROP NOT NULL, ALTER placed DROP DEFAULT;
--# force-row-security
ALTER TABLE orders FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY;
--# replica-identity-index
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_tag_idx;
--# lock-exclusive
LOCK TABLE orders, refs IN ACCESS EXCLUSIVE MODE NOWAIT;
--# lock-row-exclusive harmless
LOCK TABLE orders IN ROW EXCLUSIVE MODE;
--# delete-some harmless
DELETE FROM refs WHERE a = 5;
--# update-from
UPDATE refs SET note = o.note FROM orders o WHERE o.id = refs.a;
--# update-true
UPDATE refs SET note = 'x' WHERE true;
--# insert-select harmless
INSERT INTO refs SELECT id, note FROM orders LIMIT 5;
--# grant-on-schema harmless
GRANT USAGE ON SCHEMA attic TO PUBLIC;
--# revoke-column harmless
REVOKE UPDATE (note) ON orders FROM PUBLIC;
--# security-label-like harmless
COMMENT ON INDEX orders_note_idx IS 'for notes';
--# drop-statistics-missing harmless
DROP STATISTICS IF EXISTS nothing;
--# analyze-column harmless
ANALYZE orders (note);
--# drop-statistics harmless
--setup CREATE STATISTICS orders_pair ON note, state FROM orders;
DROP STATISTICS orders_pair;
--# drop-statistics-guarded harmless
--setup CREATE STATISTICS orders_pair (mcv) ON note, state FROM orders;
DROP STATISTICS IF EXISTS orders_pair;
--# rename-statistics harmless
--setup CREATE STATISTICS orders_pair ON note, state FROM orders;
ALTER STATISTICS orders_pair RENAME TO orders_couple;
--# target-of-statistics harmless
--setup CREATE STATISTICS orders_pair ON note, state FROM orders;
ALTER STATISTICS orders_pair SET STATISTICS 10;
--# drop-column-of-statistics
--setup CREATE STATISTICS orders_pair ON note, state FROM orders;
ALTER TABLE orders DROP COLUMN note;

--# attach-list-default-excluded harmless
--setup CREATE TABLE kinds_rest PARTITION OF kinds DEFAULT;
--setup ALTER TABLE kinds_rest ADD CONSTRAINT rest CHECK (kind IS NULL OR kind NOT IN ('b'));
ALTER TABLE kinds ATTACH PARTITION kinds_b FOR VALUES IN ('b');
--# partition-of-list-default-excluded
--setup CREATE TABLE kinds_rest PARTITION OF kinds DEFAULT;
--setup ALTER TABLE kinds_rest ADD CONSTRAINT rest CHECK (kind NOT IN ('q', 'w'));
CREATE TABLE kinds_q PARTITION OF kinds FOR VALUES IN ('q', 'w');
--# attach-like-all harmless
--setup CREATE INDEX ON measures (what);
--setup CREATE TABLE measures_2031 (LIKE measures INCLUDING ALL, CHECK (at >= DATE '2031-01-01' AND at < DATE '2032-01-01'));
ALTER TABLE measures ATTACH PARTITION measures_2031 FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');
--# add-unique-parts-have-it harmless
--setup CREATE UNIQUE INDEX measures_2024_key ON measures_2024 (id, at);
--setup ALTER TABLE measures_2024 ADD CONSTRAINT measures_2024_key UNIQUE USING INDEX measures_2024_key;
--setup CREATE UNIQUE INDEX measures_2025_key ON measures_2025 (id, at);
--setup ALTER TABLE measures_2025 ADD CONSTRAINT measures_2025_key UNIQUE USING INDEX measures_2025_key;
ALTER TABLE measures ADD CONSTRAINT measures_key UNIQUE (id, at);
--# create-index-subpartitioned severe
--setup CREATE TABLE measures_2030 PARTITION OF measures FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') PARTITION BY LIST (what);
--setup CREATE TABLE measures_2030_a PARTITION OF measures_2030 FOR VALUES IN ('a');
CREATE INDEX ON measures (what);
--# drop-subpartition severe
--setup CREATE TABLE measures_2030 PARTITION OF measures FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') PARTITION BY LIST (what);
--setup CREATE TABLE measures_2030_a PARTITION OF measures_2030 FOR VALUES IN ('a');
DROP TABLE measures_2030_a;
--# detach-subpartition
--setup CREATE TABLE measures_2030 PARTITION OF measures FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') PARTITION BY LIST (what);
--setup CREATE TABLE measures_2030_a PARTITION OF measures_2030 FOR VALUES IN ('a');
ALTER TABLE measures_2030 DETACH PARTITION measures_2030_a;
--# drop-two-tables severe
--setup DROP VIEW order_view;
--setup DROP MATERIALIZED VIEW order_stats, plain_stats;
DROP TABLE items, orders;
--# type-same-collation harmless
--setup ALTER TABLE refs ALTER COLUMN note TYPE varchar(20) COLLATE "C";
--setup CREATE INDEX ON refs (note);
ALTER TABLE refs ALTER COLUMN note TYPE varchar(40) COLLATE "C";
--# type-collation-left-out severe
--setup ALTER TABLE refs ALTER COLUMN note TYPE varchar(20) COLLATE "C";
--setup CREATE INDEX ON refs (note);
ALTER TABLE refs ALTER COLUMN note TYPE varchar(40);
--# update-where-always
UPDATE refs SET note = 'x' WHERE 1 = 1;
--# delete-in-with severe
WITH gone AS (DELETE FROM refs RETURNING a) SELECT count(*) FROM gone;
--# drop-publication-missing harmless
DROP PUBLICATION IF EXISTS nothing;
