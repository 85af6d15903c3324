-- The schema on which every statement of statements.sql is run; 2,000 rows in each table.
CREATE TYPE mood AS ENUM ('calm', 'loud');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN present AS text NOT NULL;
CREATE DOMAIN label AS text;
CREATE DOMAIN code AS text;
CREATE TYPE pair AS (a integer, b text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION fixed_value() RETURNS integer LANGUAGE sql STABLE AS $$ SELECT 7 $$;
CREATE FUNCTION any_value() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 7; END $$;

CREATE TABLE customers (
  id bigint PRIMARY KEY,
  email text NOT NULL,
  name varchar(50),
  short char(4),
  net cidr,
  made timestamp,
  seen timestamptz,
  amount numeric(10,2),
  level integer,
  size smallint,
  ref text,
  mood mood,
  nick code,
  pair pair,
  CONSTRAINT customers_level_set CHECK (level IS NOT NULL),
  CONSTRAINT customers_email_key UNIQUE (email)
);
CREATE INDEX customers_name_idx ON customers (name);
CREATE INDEX customers_ref_idx ON customers (ref) WHERE ref IS NOT NULL;
CREATE UNIQUE INDEX customers_ref_key ON customers (ref);
CREATE INDEX customers_lower_idx ON customers (lower(email));
CREATE INDEX customers_made_idx ON customers (made);

CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer_id bigint,
  buyer integer,
  total numeric(10,2),
  note text,
  memo varchar(20),
  quantity integer,
  placed timestamptz NOT NULL DEFAULT now(),
  state text,
  tag integer NOT NULL,
  CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id),
  CONSTRAINT orders_quantity_check CHECK (quantity > 0),
  CONSTRAINT orders_memo_check CHECK (memo <> '')
);
CREATE INDEX orders_note_idx ON orders (note);
CREATE UNIQUE INDEX orders_tag_idx ON orders (tag);
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE orders ADD CONSTRAINT orders_total_open CHECK (total >= 0) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_buyer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;

CREATE TABLE items (
  order_id bigint NOT NULL REFERENCES orders (id),
  n integer NOT NULL,
  what text,
  worth positive,
  PRIMARY KEY (order_id, n)
);

CREATE TABLE keyless (a bigint, b integer, c text, d int NOT NULL);
CREATE UNIQUE INDEX keyless_a_idx ON keyless (a);
CREATE UNIQUE INDEX keyless_d_idx ON keyless (d);
CREATE TABLE refs (a bigint, note text);

CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, what text, customer_id bigint) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_id_idx ON events (id);

CREATE TABLE measures (id bigint NOT NULL, at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE measures_2024 PARTITION OF measures FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measures_2025 PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measures_2026 (id bigint NOT NULL, at date NOT NULL, what text,
  CONSTRAINT measures_2026_at CHECK (at >= DATE '2026-01-01' AND at < DATE '2027-01-01'));
CREATE TABLE measures_2027 (id bigint NOT NULL, at date NOT NULL, what text);

CREATE TABLE kinds (kind text NOT NULL, v integer) PARTITION BY LIST (kind);
CREATE TABLE kinds_a PARTITION OF kinds FOR VALUES IN ('a');
CREATE TABLE kinds_b (kind text NOT NULL, v integer, CONSTRAINT kinds_b_kind CHECK (kind = 'b'));

CREATE TABLE parents (a integer, b text);
CREATE TABLE children () INHERITS (parents);
CREATE TABLE loose (a integer, b text);

CREATE UNLOGGED TABLE drafts (id bigint PRIMARY KEY, v text);

CREATE VIEW order_view AS SELECT id, total FROM orders;
CREATE MATERIALIZED VIEW order_stats AS SELECT state, count(*) AS n FROM orders GROUP BY state;
CREATE UNIQUE INDEX order_stats_key ON order_stats (state);
CREATE MATERIALIZED VIEW plain_stats AS SELECT count(*) AS n FROM items;
CREATE SEQUENCE numbers;
CREATE SCHEMA attic;
CREATE TABLE attic.old (id integer PRIMARY KEY, v text);
