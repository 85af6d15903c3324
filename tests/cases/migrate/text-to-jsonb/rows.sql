UPDATE customer SET nick = '{}' WHERE nick IS NOT NULL;
