SELECT string_agg(order_id || ' ' || number || ' ' || c.tenant_id, ', ' ORDER BY order_id, number) FROM shop.line JOIN shop.orders USING (order_id) JOIN shop.customer AS c USING (customer_id)
--
SELECT string_agg(order_id || ' ' || number || ' ' || tenant_id, ', ' ORDER BY order_id, number) FROM shop.line
