SET timestamp = 1700000000, binlog_row_value_options = PARTIAL_JSON;
CREATE DATABASE partial;
USE partial;
CREATE TABLE t (id int PRIMARY KEY, j json);
INSERT INTO t VALUES (1, '{"a": 1, "b": "a text that is long enough to be worth it"}');
UPDATE t SET j = JSON_SET(j, '$.a', 2);
