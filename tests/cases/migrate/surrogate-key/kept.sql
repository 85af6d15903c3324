SELECT string_agg(city_id || ' ' || code, ', ' ORDER BY city_id) FROM shop.city
--
SELECT string_agg(city_id || ' ' || code, ', ' ORDER BY city_id) FROM shop.city JOIN shop.country USING (country_id)
