CREATE ROLE app NOLOGIN;
CREATE ROLE archivist NOLOGIN BYPASSRLS;
CREATE SCHEMA engagement;
SET search_path = engagement, public;

CREATE TYPE engagement.notification_kind AS ENUM ('order_placed', 'order_completed', 'resource_updated', 'alert_triggered');
COMMENT ON TYPE engagement.notification_kind IS 'what it is about';

CREATE TYPE engagement.notification_priority AS ENUM ('low', 'normal', 'high', 'critical');
COMMENT ON TYPE engagement.notification_priority IS 'how it is shown';

CREATE TYPE engagement.order_state AS ENUM ('pending', 'processing', 'completed', 'cancelled');
COMMENT ON TYPE engagement.order_state IS 'as the order service last said';

CREATE TABLE engagement.notification (    tenant_id uuid NOT NULL,    notification_id uuid NOT NULL,    delivery_key uuid NOT NULL,    department_id uuid NOT NULL,    user_id uuid,    kind engagement.notification_kind NOT NULL,    priority engagement.notification_priority NOT NULL DEFAULT 'normal',    title text NOT NULL,    body text NOT NULL,    order_id uuid,    created_at timestamptz NOT NULL DEFAULT now(),    deleted_at timestamptz,    CONSTRAINT notification_pkey PRIMARY KEY (tenant_id, notification_id),    CONSTRAINT uq_notification_delivery UNIQUE (tenant_id, delivery_key),    CONSTRAINT ck_notification_title CHECK (title <> ''));

COMMENT ON TABLE engagement.notification IS 'one message sent to one audience

Without user_id it is for the whole department. Who has read it is in notification_receipt.';
COMMENT ON COLUMN engagement.notification.tenant_id IS 'the organisation';
COMMENT ON COLUMN engagement.notification.notification_id IS 'identity';
COMMENT ON COLUMN engagement.notification.delivery_key IS 'made from the event and the audience by the notifier; the same event makes the same key';
COMMENT ON COLUMN engagement.notification.department_id IS 'in which department it is shown';
COMMENT ON COLUMN engagement.notification.user_id IS 'the one person it is for';
COMMENT ON COLUMN engagement.notification.kind IS 'what it is about';
COMMENT ON COLUMN engagement.notification.priority IS 'how it is shown';
COMMENT ON COLUMN engagement.notification.title IS 'one line';
COMMENT ON COLUMN engagement.notification.body IS 'the message, Markdown';
COMMENT ON COLUMN engagement.notification.order_id IS 'the order it is about; no foreign key, since the read model may be behind';
COMMENT ON COLUMN engagement.notification.created_at IS 'when it was sent';
COMMENT ON COLUMN engagement.notification.deleted_at IS 'when it was withdrawn';

CREATE INDEX ix_notification_age
    ON engagement.notification (created_at);

CREATE INDEX ix_notification_broadcast
    ON engagement.notification (tenant_id, department_id, created_at DESC, notification_id DESC)    WHERE user_id is null and deleted_at is null;

CREATE INDEX ix_notification_personal
    ON engagement.notification (tenant_id, user_id, created_at DESC, notification_id DESC)    WHERE user_id is not null and deleted_at is null;

CREATE TABLE engagement.notification_receipt (    tenant_id uuid NOT NULL,    notification_id uuid NOT NULL,    user_id uuid NOT NULL,    read_at timestamptz NOT NULL DEFAULT now(),    CONSTRAINT notification_receipt_pkey PRIMARY KEY (tenant_id, notification_id, user_id),    CONSTRAINT fk_receipt_notification FOREIGN KEY (tenant_id, notification_id)
        REFERENCES engagement.notification (tenant_id, notification_id) ON DELETE CASCADE);

COMMENT ON TABLE engagement.notification_receipt IS 'one reading of one notification by one person

Goes with its notification.';
COMMENT ON COLUMN engagement.notification_receipt.tenant_id IS 'the organisation';
COMMENT ON COLUMN engagement.notification_receipt.notification_id IS 'what was read';
COMMENT ON COLUMN engagement.notification_receipt.user_id IS 'by whom';
COMMENT ON COLUMN engagement.notification_receipt.read_at IS 'when it was first read';

CREATE TABLE engagement.order_event (    tenant_id uuid NOT NULL,    order_id uuid NOT NULL,    order_version bigint NOT NULL,    order_code text NOT NULL,    item_name text NOT NULL,    order_state engagement.order_state NOT NULL,    department_id uuid NOT NULL,    occurred_at timestamptz NOT NULL,    received_at timestamptz NOT NULL DEFAULT now(),    CONSTRAINT order_event_pkey PRIMARY KEY (tenant_id, order_id, order_version),    CONSTRAINT ck_order_event_version CHECK (order_version > 0));

COMMENT ON TABLE engagement.order_event IS 'one version of one order as told by the order service

The inbox. Carries the whole state of the order, so that the newest version is enough.';
COMMENT ON COLUMN engagement.order_event.tenant_id IS 'the organisation';
COMMENT ON COLUMN engagement.order_event.order_id IS 'the order';
COMMENT ON COLUMN engagement.order_event.order_version IS 'the order service''s number for this change';
COMMENT ON COLUMN engagement.order_event.order_code IS 'the code people know the order by';
COMMENT ON COLUMN engagement.order_event.item_name IS 'what was ordered';
COMMENT ON COLUMN engagement.order_event.order_state IS 'state after the change';
COMMENT ON COLUMN engagement.order_event.department_id IS 'which department handles it';
COMMENT ON COLUMN engagement.order_event.occurred_at IS 'when it changed there';
COMMENT ON COLUMN engagement.order_event.received_at IS 'when it arrived here';

CREATE INDEX ix_order_event_received
    ON engagement.order_event USING brin (received_at);

CREATE TABLE engagement.order_lookup (    tenant_id uuid NOT NULL,    order_id uuid NOT NULL,    order_version bigint NOT NULL,    order_code text NOT NULL,    item_name text NOT NULL,    order_state engagement.order_state NOT NULL,    department_id uuid NOT NULL,    occurred_at timestamptz NOT NULL,    CONSTRAINT order_lookup_pkey PRIMARY KEY (tenant_id, order_id)) WITH (fillfactor = 80);

COMMENT ON TABLE engagement.order_lookup IS 'one order at the newest version known here

What is shown beside a notification. Never asked for decisions; those go to the order service.';
COMMENT ON COLUMN engagement.order_lookup.tenant_id IS 'the organisation';
COMMENT ON COLUMN engagement.order_lookup.order_id IS 'the order';
COMMENT ON COLUMN engagement.order_lookup.order_version IS 'version shown';
COMMENT ON COLUMN engagement.order_lookup.order_code IS 'the code people know the order by';
COMMENT ON COLUMN engagement.order_lookup.item_name IS 'what was ordered';
COMMENT ON COLUMN engagement.order_lookup.order_state IS 'state at that version';
COMMENT ON COLUMN engagement.order_lookup.department_id IS 'which department handles it';
COMMENT ON COLUMN engagement.order_lookup.occurred_at IS 'when it changed there';

CREATE INDEX ix_order_lookup_open
    ON engagement.order_lookup (tenant_id, department_id, occurred_at DESC, order_id DESC)    WHERE order_state in ('pending', 'processing');

CREATE FUNCTION engagement.messages_are_not_reworded() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = engagement, public, pg_temp
AS $$
BEGIN
  IF (NEW.tenant_id IS DISTINCT FROM OLD.tenant_id OR NEW.notification_id IS DISTINCT FROM OLD.notification_id OR NEW.delivery_key IS DISTINCT FROM OLD.delivery_key OR NEW.department_id IS DISTINCT FROM OLD.department_id OR NEW.user_id IS DISTINCT FROM OLD.user_id OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.priority IS DISTINCT FROM OLD.priority OR NEW.title IS DISTINCT FROM OLD.title OR NEW.body IS DISTINCT FROM OLD.body OR NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.created_at IS DISTINCT FROM OLD.created_at) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'messages-are-not-reworded: what was sent, to whom, is changed afterwards',
      CONSTRAINT = 'messages_are_not_reworded',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION engagement.the_inbox_is_written_once() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = engagement, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'check_violation',
    MESSAGE = 'the-inbox-is-written-once: an event that was taken in is changed or removed',
    CONSTRAINT = 'the_inbox_is_written_once',
    TABLE = TG_TABLE_NAME,
    SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE FUNCTION engagement.the_inbox_is_written_once_truncate() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = engagement, public, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'check_violation',
    MESSAGE = 'the-inbox-is-written-once: an event that was taken in is changed or removed',
    CONSTRAINT = 'the_inbox_is_written_once',
    TABLE = TG_TABLE_NAME,
    SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE FUNCTION engagement.withdrawn_stays_withdrawn() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = engagement, public, pg_temp
AS $$
BEGIN
  IF (NEW.deleted_at IS DISTINCT FROM OLD.deleted_at) AND EXISTS (SELECT 1 FROM (SELECT (OLD).*) AS notification WHERE deleted_at is not null) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'withdrawn-stays-withdrawn: a withdrawn notification comes back',
      CONSTRAINT = 'withdrawn_stays_withdrawn',
      TABLE = TG_TABLE_NAME,
      SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER messages_are_not_reworded
    BEFORE UPDATE ON engagement.notification    FOR EACH ROW    EXECUTE FUNCTION engagement.messages_are_not_reworded();

CREATE TRIGGER withdrawn_stays_withdrawn
    BEFORE UPDATE ON engagement.notification    FOR EACH ROW    EXECUTE FUNCTION engagement.withdrawn_stays_withdrawn();

CREATE TRIGGER the_inbox_is_written_once
    BEFORE UPDATE OR DELETE ON engagement.order_event    FOR EACH ROW    EXECUTE FUNCTION engagement.the_inbox_is_written_once();

CREATE TRIGGER the_inbox_is_written_once_truncate
    BEFORE TRUNCATE ON engagement.order_event    FOR EACH STATEMENT    EXECUTE FUNCTION engagement.the_inbox_is_written_once_truncate();

ALTER TABLE engagement.notification ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement.notification FORCE ROW LEVEL SECURITY;

CREATE POLICY tenants_are_isolated ON engagement.notification
    FOR ALL    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE engagement.notification_receipt ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement.notification_receipt FORCE ROW LEVEL SECURITY;

CREATE POLICY tenants_are_isolated ON engagement.notification_receipt
    FOR ALL    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE engagement.order_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement.order_event FORCE ROW LEVEL SECURITY;

CREATE POLICY tenants_are_isolated ON engagement.order_event
    FOR ALL    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE engagement.order_lookup ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement.order_lookup FORCE ROW LEVEL SECURITY;

CREATE POLICY tenants_are_isolated ON engagement.order_lookup
    FOR ALL    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

GRANT USAGE ON SCHEMA engagement TO app;
GRANT USAGE ON SCHEMA engagement TO archivist;

GRANT SELECT, INSERT, UPDATE ON engagement.notification TO app;
GRANT SELECT, DELETE ON engagement.notification TO archivist;
GRANT SELECT, INSERT ON engagement.notification_receipt TO app;
GRANT SELECT, DELETE ON engagement.notification_receipt TO archivist;
GRANT SELECT, INSERT ON engagement.order_event TO app;
GRANT SELECT, INSERT, UPDATE ON engagement.order_lookup TO app;
