SET timestamp = 1700000000;
USE shop;
BEGIN;
INSERT INTO clients (name) VALUES ('mixed');
INSERT INTO counters VALUES (3, 3);
ROLLBACK;
