-- 1 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
-- HAZARD    breaks-old:customer: programs of the old version that do not set app.tenant_id see no row of customer from here on, and write none: let them do so before
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
CREATE POLICY tenants_are_apart ON shop.customer
    FOR ALL
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::bigint)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::bigint);
ALTER TABLE shop.customer
    ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.customer
    FORCE ROW LEVEL SECURITY;
COMMIT;
