SELECT string_agg(order_id || ' ' || customer_id, ', ' ORDER BY order_id) FROM shop.orders
--
SELECT string_agg(order_id || ' ' || customer_id, ', ' ORDER BY order_id) FROM shop.buyer
