SET timestamp = 1700000000;
CREATE DATABASE compressed;
CREATE TABLE compressed.t (id int PRIMARY KEY, a int, b text);
