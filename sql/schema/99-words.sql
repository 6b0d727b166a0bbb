-- Tables and columns of ours are called what others call such things; their rows stay.
alter table postern.tries rename to attempts;
alter table postern.attempts rename tries to attempts;
alter index postern.tries_pkey rename to attempts_pkey;
alter index postern.tries_first_at_idx rename to attempts_first_at_idx;

alter table postern.outbox rename tries to attempts;
alter table postern.outbox rename dead_at to failed_at;
alter index postern.outbox_dead_idx rename to outbox_failed_idx;

alter table postern.nobody rename to decoy;
alter index postern.nobody_pkey rename to decoy_pkey;
alter index postern.nobody_a_idx rename to decoy_a_idx;
alter index postern.nobody_b_idx rename to decoy_b_idx;
alter index postern.nobody_c_idx rename to decoy_c_idx;
alter index postern.nobody_d_idx rename to decoy_d_idx;
alter index postern.nobody_e_idx rename to decoy_e_idx;
alter index postern.nobody_f_idx rename to decoy_f_idx;
alter index postern.nobody_g_idx rename to decoy_g_idx;
alter index postern.nobody_h_idx rename to decoy_h_idx;

alter function postern.insist(boolean, text) rename to assert;
