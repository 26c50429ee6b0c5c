SET timestamp = 1700000000;
CREATE DATABASE unchecked;
USE unchecked;
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t VALUES (1, 1);
UPDATE t SET a = 2;
DELETE FROM t;
