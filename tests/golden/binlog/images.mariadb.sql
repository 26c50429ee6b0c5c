SET timestamp = 1700000000;
USE images;
SET GLOBAL binlog_row_metadata = NO_LOG;
INSERT INTO t VALUES (5, 4000000000, 'no metadata', 'x', 5);
