-- 1 expand: table payment
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE TABLE shop.payment (
    payment_id bigint     NOT NULL GENERATED ALWAYS AS IDENTITY,
    order_id   integer    NOT NULL,
    paid       shop.cents NOT NULL,
    CONSTRAINT payment_pkey PRIMARY KEY (payment_id)
);
COMMENT ON TABLE shop.payment IS 'one payment';
COMMENT ON COLUMN shop.payment.payment_id IS 'identity';
COMMENT ON COLUMN shop.payment.order_id IS 'the order';
COMMENT ON COLUMN shop.payment.paid IS 'how much';
CREATE INDEX ix_payment_order
    ON shop.payment (order_id);
COMMIT;

-- 2 expand: reference fk_payment_orders of the new table payment
-- runs      in one transaction
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.payment
    ADD CONSTRAINT fk_payment_orders FOREIGN KEY (order_id)
        REFERENCES shop.orders (order_id) ON DELETE RESTRICT;
COMMIT;
