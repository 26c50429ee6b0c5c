SET timestamp = 1700000000;
CREATE DATABASE anonymous;
USE anonymous;
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t VALUES (1, 1);
SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1';
INSERT INTO t VALUES (2, 2);
