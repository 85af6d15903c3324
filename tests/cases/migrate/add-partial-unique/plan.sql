-- 1 expand: build index uq_orders_open on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_orders_open;
CREATE UNIQUE INDEX CONCURRENTLY uq_orders_open
    ON shop.orders (customer_id)
    WHERE ends_at is null and total < 0;
