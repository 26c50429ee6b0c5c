SET sql_mode = '', time_zone = '+00:00', timestamp = 1700000000;
CREATE DATABASE types;
USE types;
CREATE TABLE numbers (
    id int PRIMARY KEY, t tinyint, tu tinyint unsigned, s smallint, su smallint unsigned, m mediumint,
    mu mediumint unsigned, i int, iu int unsigned, b bigint, bu bigint unsigned, f float, d double, fu float unsigned,
    p decimal(65,30), q decimal(10,2), r decimal(18,0) unsigned, y year, flag boolean, after_year int unsigned,
    b1 bit(1), b9 bit(9), b64 bit(64));
INSERT INTO numbers VALUES
    (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, -3.402823466e38,
     -1.7976931348623157e308, 0, -99999999999999999999999999999999999.999999999999999999999999999999, -99999999.99, 0,
     1901, 0, 0, b'0', b'0', b'0'),
    (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615,
     3.402823466e38, 1.7976931348623157e308, 3.5, 99999999999999999999999999999999999.999999999999999999999999999999,
     99999999.99, 999999999999999999, 2155, 1, 4294967295, b'1', b'111111111', ~0),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL);
CREATE TABLE times (
    id int PRIMARY KEY, d date, t time, t6 time(6), dt datetime, dt3 datetime(3), dt6 datetime(6), ts timestamp NULL,
    ts6 timestamp(6) NULL);
INSERT INTO times VALUES
    (1, '1000-01-01', '-838:59:59', '-00:00:01.000001', '1000-01-01 00:00:00', '1000-01-01 00:00:00.001',
     '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01', '1970-01-01 00:00:01.000001'),
    (2, '9999-12-31', '838:59:59', '838:59:58.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999',
     '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999'),
    (3, '0000-00-00', '00:00:00', 0, '0000-00-00', '2024-00-00', '0000-00-00', 0, 0),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE texts (
    id int PRIMARY KEY, c char(10), c255 char(255), v varchar(10), v300 varchar(300), latin varchar(20) CHARACTER SET latin1,
    bin binary(16), varbin varbinary(300), tt tinytext, tx text, mt mediumtext, lt longtext, tb tinyblob, bl blob,
    mb mediumblob, lb longblob, e enum('small','medium','größer'), st set('a','b','c','d','e','f','g','h','i'),
    el enum('x','ü') CHARACTER SET latin1) DEFAULT CHARSET utf8mb4;
INSERT INTO texts VALUES
    (1, 'abc', 'größer', 'v', repeat('w', 300), 'ü', x'00112233445566778899aabbccddee00', x'0001', 'tiny', 'text', 'medium',
     'long', x'00', x'01', x'02', x'03', 'größer', 'a,c,i', 'ü'),
    (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', 'small', '', 'x'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE documents (id int PRIMARY KEY, j json, g geometry, p point, l linestring);
INSERT INTO documents VALUES
    (1, '{"a": [1, -2, 3.5, true, null, "text"], "b": {}}', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(3 4)'),
     ST_GeomFromText('LINESTRING(0 0, 1 1)')),
    (2, NULL, NULL, NULL, NULL);
CREATE TABLE composite_key (b varchar(10), a int, c int, PRIMARY KEY (a, b)) CHARSET latin1;
INSERT INTO composite_key VALUES ('x', 1, 2);
CREATE TABLE prefix_key (t varchar(100) NOT NULL, u int, PRIMARY KEY (t(10)));
INSERT INTO prefix_key VALUES ('long enough to be cut', 1);
CREATE TABLE no_key (a int, b text);
INSERT INTO no_key VALUES (1, 'x'), (1, 'x');
CREATE TABLE derived (a int PRIMARY KEY, twice int AS (a * 2) STORED, thrice int AS (a * 3) VIRTUAL, hidden int INVISIBLE DEFAULT 5);
INSERT INTO derived (a) VALUES (1);
CREATE TABLE `häßlich "name"` (`spalte 1` int PRIMARY KEY, `ß``x` text);
INSERT INTO `häßlich "name"` VALUES (1, 'x');
