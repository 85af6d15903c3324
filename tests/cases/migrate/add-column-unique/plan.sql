-- 1 expand: add column orders.slug
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD COLUMN slug text;
COMMENT ON COLUMN shop.orders.slug IS 'a name for links';
COMMIT;

-- 2 validate: build index uq_orders_slug on orders
-- runs      outside a transaction
-- locks     orders SHARE UPDATE EXCLUSIVE, as long as all its rows take: nobody waits who reads or writes rows; vacuum and other DDL wait
-- check     this must return no row:
--           SELECT slug, count(*) FROM shop.orders
--               WHERE ROW(slug) IS NOT NULL GROUP BY slug HAVING count(*) > 1 LIMIT 10
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS shop.uq_orders_slug;
CREATE UNIQUE INDEX CONCURRENTLY uq_orders_slug
    ON shop.orders (slug);

-- 3 validate: add unique uq_orders_slug of orders
-- runs      in one transaction
-- locks     orders ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.orders
    ADD CONSTRAINT uq_orders_slug UNIQUE USING INDEX uq_orders_slug;
COMMIT;
