(lower(&1) = lower(&2) and lower(&1 collate "C") = lower(&2 collate "C"))
