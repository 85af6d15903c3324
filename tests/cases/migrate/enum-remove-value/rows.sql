UPDATE orders SET state = 'new' WHERE state = 'paid';
