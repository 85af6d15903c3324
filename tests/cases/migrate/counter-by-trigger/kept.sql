SELECT string_agg(customer_id || ' ' || (SELECT count(*) FROM shop.orders AS o WHERE o.customer_id = c.customer_id), ', ' ORDER BY customer_id) FROM shop.customer AS c
--
SELECT string_agg(customer_id || ' ' || orders, ', ' ORDER BY customer_id) FROM shop.customer
