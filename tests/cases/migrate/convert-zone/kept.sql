SELECT md5(string_agg(order_id || ' ' || placed_at::text, ', ' ORDER BY order_id)) FROM shop.orders
--
SELECT md5(string_agg(order_id || ' ' || (placed_at AT TIME ZONE 'Europe/Berlin')::text, ', ' ORDER BY order_id)) FROM shop.orders
