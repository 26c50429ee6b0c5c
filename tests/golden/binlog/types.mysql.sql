USE types;
CREATE TABLE vectors (id int PRIMARY KEY, v vector(3), w vector(2));
INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1,2,3]'), NULL);
CREATE TABLE multi_valued (id int PRIMARY KEY, j json, INDEX m ((CAST(j->'$.tags' AS unsigned ARRAY))), INDEX f ((id + 1)));
INSERT INTO multi_valued VALUES (1, '{"tags": [1, 2]}');
