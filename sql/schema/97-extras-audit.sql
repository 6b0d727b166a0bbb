-- Lists of the audit log go on behind the last entry that was read.
do $$
begin
    create index postern_audit_list on auth.audit_log_entries (created_at);
exception when insufficient_privilege then
    raise warning 'no index on the audit log, so long lists of it are slow: %', sqlerrm;
end $$;
