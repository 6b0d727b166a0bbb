-- What an unconfirmed account becomes when the letter or message that waits is followed, by who asked for it: core/owner.h.  link: what
-- auth.one_time_tokens has; a row whose link is another one's counts no more.
create table if not exists postern.waiting (
    user_id uuid not null primary key,
    link text not null,
    password text,
    identity_id uuid,
    made_at timestamptz not null default now()
);
create index if not exists waiting_made_at_idx on postern.waiting (made_at);

-- A new password ends what was begun to be linked to its user, for which the reference has no index.
do $$
begin
    create index postern_flow_state_target on auth.flow_state (linking_target_id) where linking_target_id is not null;
exception when insufficient_privilege then
    raise warning 'no index on what flows link to, so new passwords are slow where there are many flows: %', sqlerrm;
end $$;
