-- Whoever adds a second factor takes away all that nobody has verified in time.
do $$
begin
    create index postern_factors_unverified on auth.mfa_factors (created_at) where status = 'unverified';
exception when insufficient_privilege then
    raise warning 'no index on unverified factors, so new ones are slow where there are many: %', sqlerrm;
end $$;
