CREATE DOMAIN price AS numeric(12,3) CHECK (VALUE >= 0);
CREATE TABLE types (
    id int PRIMARY KEY,
    b boolean, i2 smallint, i4 integer, i8 bigint, f4 real, f8 double precision,
    n10 numeric(10,2), n38 numeric(38,10), n38_0 numeric(38,0), negative_scale numeric(3,-2),
    small numeric(2,4), domain_ price,
    t text, v varchar(20), c char(5), nm name, by bytea,
    da date, ti time, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb
);
CREATE PUBLICATION golden FOR TABLE types;
-- changes
INSERT INTO types (id) VALUES (1);
INSERT INTO types VALUES (2,
    true, -32768, -2147483648, -9223372036854775808, 'Infinity', '-Infinity',
    -99999999.99, 9999999999999999999999999999.9999999999,
    -99999999999999999999999999999999999999, 99900, 0.0099, 999999999.999,
    'Zürich 東京 🚲', 'twelve bytes', 'ab', 'name', '\x00ff10',
    '0001-01-01', '00:00:00', '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00',
    '123e4567-e89b-12d3-a456-426614174000', '{"a": [1,  2.50]}', '{"b": null, "a": 1.50}');
INSERT INTO types VALUES (3,
    false, 32767, 2147483647, 9223372036854775807, 'NaN', 'NaN',
    0, -0.0000000001, 99999999999999999999999999999999999999, -99900, -0.0001, 0,
    '', '', '', '', '',
    '9999-12-31', '24:00:00', '9999-12-31 23:59:59.999999', '0001-01-01 00:00:00+00',
    'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', '[]');
INSERT INTO types VALUES (4,
    true, 0, 0, 0, 0.1, 0.1,
    0.05, 12345.678, 10000, 100, 0.005, 1.5,
    repeat('long ', 100), 'x', 'abcde', 'n', decode(repeat('ab', 300), 'hex'),
    '2000-02-29', '12:34:56.789', '1999-12-31 23:59:59.5', '1970-01-01 00:00:00+00',
    '00000000-0000-0000-0000-000000000000', '"\u00e9"', '{"k": "v"}');
INSERT INTO types VALUES (5,
    true, 1, 1, 1, 1.17549435e-38, 5e-324,
    10000, 1, 1, 0, 0.0010, 1,
    'a', 'b', 'c', 'd', 'e',
    '1969-12-31', '23:59:59.999999', '1969-12-31 23:59:59.999999', '2024-06-01 12:00:00+05:30',
    '0a0b0c0d-0e0f-1011-1213-141516171819', '1', '1');
