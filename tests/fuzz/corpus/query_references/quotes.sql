SELECT $t$ FROM x $t$, E'\' FROM y' /* FROM /* z */ */ FROM "q""r" -- end
, s.t.u TABLESAMPLE 10%