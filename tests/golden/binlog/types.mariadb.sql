USE types;
CREATE TABLE own (
    id int PRIMARY KEY, u uuid, i4 inet4, i6 inet6, vc varchar(100) COMPRESSED, tc text COMPRESSED, bc mediumblob COMPRESSED,
    bv varbinary(50) COMPRESSED, after_all varchar(5) CHARACTER SET latin1);
INSERT INTO own VALUES
    (1, '123e4567-e89b-12d3-a456-426655440000', '10.0.0.1', '2001:db8::', repeat('v', 90), repeat('t', 1000),
     repeat('b', 1000), repeat('x', 40), 'end'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE versioned (id int PRIMARY KEY, a int) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1, 1);
UPDATE versioned SET a = 2;
SET GLOBAL mysql56_temporal_format = OFF;
CREATE TABLE old_times (id int PRIMARY KEY, t time, t6 time(6), dt datetime, dt6 datetime(6), ts timestamp NULL, ts3 timestamp(3) NULL);
SET GLOBAL mysql56_temporal_format = ON;
INSERT INTO old_times VALUES (1, '-838:59:59', '-00:00:01.000001', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999',
    '2038-01-19 03:14:07', '2038-01-19 03:14:07.999');
