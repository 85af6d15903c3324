-- 1 expand: add label back to state
-- runs      outside a transaction
-- because   a label may be used only after the transaction that adds it has committed
-- forward   only: PostgreSQL cannot take a label out of an enum; one that nobody uses harms nobody
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ALTER TYPE shop.state ADD VALUE IF NOT EXISTS 'back';

-- 2 expand: add label packed to state
-- runs      outside a transaction
-- because   a label may be used only after the transaction that adds it has committed
-- forward   only: PostgreSQL cannot take a label out of an enum; one that nobody uses harms nobody
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ALTER TYPE shop.state ADD VALUE IF NOT EXISTS 'packed' BEFORE 'sent';

-- 3 expand: add label draft to state
-- runs      outside a transaction
-- because   a label may be used only after the transaction that adds it has committed
-- forward   only: PostgreSQL cannot take a label out of an enum; one that nobody uses harms nobody
SET search_path = shop, public;
SET lock_timeout = 0;
SET statement_timeout = 0;
ALTER TYPE shop.state ADD VALUE IF NOT EXISTS 'draft' BEFORE 'new';
