-- What is written for an address that nobody has, so that it takes as long as for one that somebody has: as many columns with an index as
-- a user has.  Several rows, so that requests need not wait for each other.
create table if not exists postern.nobody (
    id smallint not null primary key,
    a text, b text, c text, d text, e text, f text, g text, h text
);
create index if not exists nobody_a_idx on postern.nobody (a);
create index if not exists nobody_b_idx on postern.nobody (b);
create index if not exists nobody_c_idx on postern.nobody (c);
create index if not exists nobody_d_idx on postern.nobody (d);
create index if not exists nobody_e_idx on postern.nobody (e);
create index if not exists nobody_f_idx on postern.nobody (f);
create index if not exists nobody_g_idx on postern.nobody (g);
create index if not exists nobody_h_idx on postern.nobody (h);
insert into postern.nobody (id) select generate_series(1, 64);
