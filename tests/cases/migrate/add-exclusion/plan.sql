-- 1 validate: add exclusion ex_orders_time of orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, as long as all its rows take: everybody waits, who reads as well as who writes
-- HAZARD    stop:orders: the index of an exclusion constraint is built under ACCESS EXCLUSIVE: readers and writers of orders wait; PostgreSQL has no other way
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT ex_orders_time EXCLUDE USING gist (order_id WITH =, (tstzrange(placed_at, ends_at)) WITH &&);
COMMIT;
