-- 1 expand: function email_changed
-- runs      in one transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
SET LOCAL check_function_bodies = off;
CREATE FUNCTION email_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
COMMIT;

-- 2 switch: switch customer
-- runs      in one transaction
-- locks     customer ACCESS EXCLUSIVE, an instant: everybody waits, who reads as well as who writes
-- because   everything that changes its place at once does so in one short transaction
BEGIN;
SET LOCAL search_path = shop, public;
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '900s';
ALTER TABLE shop.customer
    ALTER COLUMN email TYPE text;
CREATE TRIGGER tr_email_changed
    AFTER UPDATE OF email ON shop.customer
    FOR EACH ROW
    EXECUTE FUNCTION shop.email_changed();
COMMIT;
