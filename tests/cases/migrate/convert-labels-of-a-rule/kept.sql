SELECT string_agg(order_id || ' ' || replace(state::text, 'new', 'open'), ', ' ORDER BY order_id) FROM shop.orders
--
SELECT string_agg(order_id || ' ' || state::text, ', ' ORDER BY order_id) FROM shop.orders
