update &2 t set &3 = n.sealed
from (
    select h.&4 as id, w.sealed from written w join &2 h on h.&4 = w.id and h.&3 = w.was
    where :place::text = &1
    for no key update of h skip locked) n
where t.&4 = n.id
returning 1
