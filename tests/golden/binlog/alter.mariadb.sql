SET timestamp = 1700000000, binlog_alter_two_phase = ON;
CREATE DATABASE altered;
USE altered;
CREATE TABLE t (id int PRIMARY KEY, a int);
INSERT INTO t VALUES (1, 1), (2, 1);
ALTER TABLE t ADD COLUMN b int DEFAULT 7;
INSERT INTO t VALUES (3, 3, 3);
