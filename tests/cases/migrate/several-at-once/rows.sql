UPDATE customer SET nick = 'x' WHERE nick IS NULL;
