-- A new password ends what was begun to be linked to its user, for which the reference has no index.
do $$
begin
    create index postern_flow_state_target on auth.flow_state (linking_target_id) where linking_target_id is not null;
exception when insufficient_privilege then
    raise warning 'no index on what flows link to, so new passwords are slow where there are many flows: %', sqlerrm;
end $$;
