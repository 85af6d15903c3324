-- 1 expand: add column orders.seller_id
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN seller_id bigint;
COMMENT ON COLUMN shop.orders.seller_id IS 'who sold';
COMMIT;

-- 2 validate: add reference fk_orders_seller of orders
-- runs      in one transaction
-- locks     customer SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
-- locks     orders SHARE ROW EXCLUSIVE, an instant: everybody waits who writes; reading goes on
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT fk_orders_seller FOREIGN KEY (seller_id)
        REFERENCES shop.customer (customer_id) ON DELETE RESTRICT NOT VALID;
COMMIT;

-- 3 validate: validate reference fk_orders_seller of orders
-- runs      in one transaction
-- locks     customer ROW SHARE, as long as all its rows take: nobody waits who reads or writes rows; DDL waits
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- because   in a transaction of its own, so that the lock of the step before is not held through the scan
-- check     this must return no row:
--           SELECT seller_id FROM shop.orders AS child WHERE child.seller_id IS NOT NULL
--               AND NOT EXISTS (SELECT FROM shop.customer AS parent WHERE parent.customer_id = child.seller_id) LIMIT 10
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    VALIDATE CONSTRAINT fk_orders_seller;
COMMIT;
