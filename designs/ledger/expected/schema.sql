CREATE ROLE accounting NOLOGIN;
CREATE ROLE auditor NOLOGIN;
CREATE ROLE ledger_service NOLOGIN;
CREATE SCHEMA ledger;
SET search_path = ledger, public;

CREATE TYPE ledger.account_kind AS ENUM ('asset', 'liability', 'equity', 'income', 'expense');
COMMENT ON TYPE ledger.account_kind IS 'on which side of the books';

CREATE TYPE ledger.currency AS ENUM ('EUR', 'GBP', 'USD');
COMMENT ON TYPE ledger.currency IS 'currency of an account';

CREATE TYPE ledger.period_state AS ENUM ('open', 'closed');
COMMENT ON TYPE ledger.period_state IS 'whether postings are taken';

CREATE TABLE ledger.accounting_period (    period_start date NOT NULL,    period_state ledger.period_state NOT NULL DEFAULT 'open',    closed_postings bigint,    CONSTRAINT accounting_period_pkey PRIMARY KEY (period_start),    CONSTRAINT ck_period_closed_counted CHECK ((period_state = 'closed') = (closed_postings is not null)),    CONSTRAINT ck_period_first_day CHECK (extract(day from period_start) = 1));
COMMENT ON TABLE ledger.accounting_period IS 'one month of the books';
COMMENT ON COLUMN ledger.accounting_period.period_start IS 'first day of the month';
COMMENT ON COLUMN ledger.accounting_period.period_state IS 'whether postings are taken';
COMMENT ON COLUMN ledger.accounting_period.closed_postings IS 'number of postings when it was closed';

CREATE TABLE ledger.ledger_account (    account_id uuid NOT NULL,    account_code text NOT NULL,    account_kind ledger.account_kind NOT NULL,    currency ledger.currency NOT NULL,    owner_id uuid,    opened_at timestamptz NOT NULL DEFAULT now(),    CONSTRAINT ledger_account_pkey PRIMARY KEY (account_id),    CONSTRAINT uq_account_code UNIQUE (account_code),    CONSTRAINT uq_account_currency UNIQUE (account_id, currency));
COMMENT ON TABLE ledger.ledger_account IS 'one account of the books in one currency';
COMMENT ON COLUMN ledger.ledger_account.account_id IS 'identity';
COMMENT ON COLUMN ledger.ledger_account.account_code IS 'number in the books, known to accounting';
COMMENT ON COLUMN ledger.ledger_account.account_kind IS 'on which side of the books';
COMMENT ON COLUMN ledger.ledger_account.currency IS 'the only currency it holds';
COMMENT ON COLUMN ledger.ledger_account.owner_id IS 'the customer whose money it is';
COMMENT ON COLUMN ledger.ledger_account.opened_at IS 'when it was opened';

CREATE INDEX ix_account_owner
    ON ledger.ledger_account (owner_id)    WHERE owner_id is not null;

CREATE TABLE ledger.account_balance (    account_id uuid NOT NULL,    balance_minor bigint NOT NULL DEFAULT 0,    floor_minor bigint DEFAULT 0,    CONSTRAINT account_balance_pkey PRIMARY KEY (account_id),    CONSTRAINT ck_balance_floor CHECK (floor_minor is null or balance_minor >= floor_minor),    CONSTRAINT fk_balance_account FOREIGN KEY (account_id)
        REFERENCES ledger.ledger_account (account_id) ON DELETE RESTRICT) WITH (fillfactor = 70);

COMMENT ON TABLE ledger.account_balance IS 'the present balance of one account

Apart from ledger_account because it changes with every posting and that one never.';
COMMENT ON COLUMN ledger.account_balance.account_id IS 'whose balance';
COMMENT ON COLUMN ledger.account_balance.balance_minor IS 'sum of its entries, in minor units';
COMMENT ON COLUMN ledger.account_balance.floor_minor IS 'lowest balance allowed';

CREATE TABLE ledger.posting (    posting_id uuid NOT NULL,    period_start date NOT NULL,    currency ledger.currency NOT NULL,    idempotency_key uuid NOT NULL,    request_fingerprint text NOT NULL,    reverses_posting_id uuid,    booked_at timestamptz NOT NULL DEFAULT now(),    CONSTRAINT posting_pkey PRIMARY KEY (posting_id),    CONSTRAINT uq_posting_currency UNIQUE (posting_id, currency),    CONSTRAINT uq_posting_key UNIQUE (idempotency_key),    CONSTRAINT uq_posting_reversed UNIQUE (reverses_posting_id),    CONSTRAINT ck_posting_not_itself CHECK (reverses_posting_id <> posting_id),    CONSTRAINT fk_posting_period FOREIGN KEY (period_start)
        REFERENCES ledger.accounting_period (period_start) ON DELETE RESTRICT,    CONSTRAINT fk_posting_reversed FOREIGN KEY (reverses_posting_id)
        REFERENCES ledger.posting (posting_id) ON DELETE RESTRICT);
COMMENT ON TABLE ledger.posting IS 'one booked request';
COMMENT ON COLUMN ledger.posting.posting_id IS 'identity';
COMMENT ON COLUMN ledger.posting.period_start IS 'month in which it counts';
COMMENT ON COLUMN ledger.posting.currency IS 'currency of all its entries';
COMMENT ON COLUMN ledger.posting.idempotency_key IS 'the caller''s key';
COMMENT ON COLUMN ledger.posting.request_fingerprint IS 'digest of what was asked for';
COMMENT ON COLUMN ledger.posting.reverses_posting_id IS 'the posting it takes back';
COMMENT ON COLUMN ledger.posting.booked_at IS 'when it was booked';

CREATE INDEX ix_posting_period
    ON ledger.posting (period_start, posting_id);

CREATE TABLE ledger.entry (    entry_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,    posting_id uuid NOT NULL,    line_no smallint NOT NULL,    account_id uuid NOT NULL,    currency ledger.currency NOT NULL,    amount_minor bigint NOT NULL,    CONSTRAINT entry_pkey PRIMARY KEY (entry_id),    CONSTRAINT uq_entry_line UNIQUE (posting_id, currency, line_no),    CONSTRAINT ck_entry_amount CHECK (amount_minor <> 0),    CONSTRAINT fk_entry_account FOREIGN KEY (account_id, currency)
        REFERENCES ledger.ledger_account (account_id, currency) ON DELETE RESTRICT,    CONSTRAINT fk_entry_posting FOREIGN KEY (posting_id, currency)
        REFERENCES ledger.posting (posting_id, currency) ON DELETE RESTRICT);

COMMENT ON TABLE ledger.entry IS 'one amount that a posting puts on one account

Positive amounts come to the account, negative ones leave it.';
COMMENT ON COLUMN ledger.entry.entry_id IS 'order of booking';
COMMENT ON COLUMN ledger.entry.posting_id IS 'the posting';
COMMENT ON COLUMN ledger.entry.line_no IS 'place within the posting';
COMMENT ON COLUMN ledger.entry.account_id IS 'the account';
COMMENT ON COLUMN ledger.entry.currency IS 'currency of posting and account, which must agree';
COMMENT ON COLUMN ledger.entry.amount_minor IS 'amount in minor units with its sign';

CREATE INDEX ix_entry_account
    ON ledger.entry (account_id, currency, entry_id DESC);

CREATE FUNCTION ledger.entries_are_permanent() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'check_violation',
    MESSAGE = 'entries-are-permanent: an entry is changed or removed',
    CONSTRAINT = 'entries_are_permanent',
    TABLE = TG_TABLE_NAME,
    SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE FUNCTION ledger.entries_are_permanent_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'check_violation',
    MESSAGE = 'entries-are-permanent: an entry is changed or removed',
    CONSTRAINT = 'entries_are_permanent',
    TABLE = TG_TABLE_NAME,
    SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE FUNCTION ledger.periods_close_for_good() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
BEGIN
  IF NEW.period_state::text IS NOT DISTINCT FROM OLD.period_state::text THEN
    RETURN NEW;
  END IF;
  IF (CASE OLD.period_state::text
    WHEN 'open' THEN NEW.period_state::text IN ('closed')
    ELSE FALSE
  END) IS NOT TRUE THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'periods-close-for-good: a closed period opens again',
      CONSTRAINT = 'periods_close_for_good',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION ledger.periods_close_for_good_start() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
BEGIN
  IF NEW.period_state::text NOT IN ('open') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'periods-close-for-good: a closed period opens again',
      CONSTRAINT = 'periods_close_for_good',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION ledger.postings_are_permanent() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'check_violation',
    MESSAGE = 'postings-are-permanent: a posting is changed or removed',
    CONSTRAINT = 'postings_are_permanent',
    TABLE = TG_TABLE_NAME,
    SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE FUNCTION ledger.postings_are_permanent_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'check_violation',
    MESSAGE = 'postings-are-permanent: a posting is changed or removed',
    CONSTRAINT = 'postings_are_permanent',
    TABLE = TG_TABLE_NAME,
    SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE FUNCTION ledger.postings_balance() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = ledger, public, pg_temp
AS $$
DECLARE
  total numeric;
  expected numeric;
BEGIN
  IF TG_OP <> 'DELETE' AND NEW.posting_id IS NOT NULL THEN
    SELECT coalesce(sum(amount_minor), 0) INTO total FROM ledger.entry WHERE TRUE AND (posting_id) = (NEW.posting_id);
    expected := 0;
    IF total <> expected THEN
      RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = 'postings-balance: the entries of a posting do not sum to zero',
        CONSTRAINT = 'postings_balance',
        TABLE = TG_TABLE_NAME,
        SCHEMA = TG_TABLE_SCHEMA;
    END IF;
  END IF;
  IF TG_OP <> 'INSERT' AND OLD.posting_id IS NOT NULL THEN
    SELECT coalesce(sum(amount_minor), 0) INTO total FROM ledger.entry WHERE TRUE AND (posting_id) = (OLD.posting_id);
    expected := 0;
    IF total <> expected THEN
      RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = 'postings-balance: the entries of a posting do not sum to zero',
        CONSTRAINT = 'postings_balance',
        TABLE = TG_TABLE_NAME,
        SCHEMA = TG_TABLE_SCHEMA;
    END IF;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER periods_close_for_good
    BEFORE UPDATE ON ledger.accounting_period    FOR EACH ROW    EXECUTE FUNCTION ledger.periods_close_for_good();

CREATE TRIGGER periods_close_for_good_start
    BEFORE INSERT ON ledger.accounting_period    FOR EACH ROW    EXECUTE FUNCTION ledger.periods_close_for_good_start();

CREATE TRIGGER postings_are_permanent
    BEFORE UPDATE OR DELETE ON ledger.posting    FOR EACH ROW    EXECUTE FUNCTION ledger.postings_are_permanent();

CREATE TRIGGER postings_are_permanent_truncate
    BEFORE TRUNCATE ON ledger.posting    FOR EACH STATEMENT    EXECUTE FUNCTION ledger.postings_are_permanent_truncate();

CREATE TRIGGER entries_are_permanent
    BEFORE UPDATE OR DELETE ON ledger.entry    FOR EACH ROW    EXECUTE FUNCTION ledger.entries_are_permanent();

CREATE TRIGGER entries_are_permanent_truncate
    BEFORE TRUNCATE ON ledger.entry    FOR EACH STATEMENT    EXECUTE FUNCTION ledger.entries_are_permanent_truncate();

CREATE CONSTRAINT TRIGGER postings_balance
    AFTER INSERT OR UPDATE OR DELETE ON ledger.entry    DEFERRABLE INITIALLY DEFERRED    FOR EACH ROW    EXECUTE FUNCTION ledger.postings_balance();

GRANT USAGE ON SCHEMA ledger TO accounting;
GRANT USAGE ON SCHEMA ledger TO auditor;
GRANT USAGE ON SCHEMA ledger TO ledger_service;

GRANT SELECT ON ledger.account_balance TO accounting;
GRANT SELECT ON ledger.account_balance TO auditor;
GRANT SELECT, INSERT, UPDATE ON ledger.account_balance TO ledger_service;
GRANT SELECT, INSERT, UPDATE ON ledger.accounting_period TO accounting;
GRANT SELECT ON ledger.accounting_period TO auditor;
GRANT SELECT, UPDATE ON ledger.accounting_period TO ledger_service;
GRANT SELECT ON ledger.entry TO accounting;
GRANT SELECT ON ledger.entry TO auditor;
GRANT SELECT, INSERT ON ledger.entry TO ledger_service;
GRANT SELECT ON ledger.ledger_account TO accounting;
GRANT SELECT ON ledger.ledger_account TO auditor;
GRANT SELECT, INSERT ON ledger.ledger_account TO ledger_service;
GRANT SELECT ON ledger.posting TO accounting;
GRANT SELECT ON ledger.posting TO auditor;
GRANT SELECT, INSERT ON ledger.posting TO ledger_service;
