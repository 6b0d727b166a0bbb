auth.audit_log_entries a where a.instance_id = %nil
    and (:who::text is null or a.payload ->> 'actor_username' ilike '%' || :who::text || '%'
        or a.payload ->> 'actor_name' ilike '%' || :who::text || '%')
    and (:action::text is null or a.payload ->> 'action' ilike '%' || :action::text || '%')
    and (:type::text is null or a.payload ->> 'log_type' ilike '%' || :type::text || '%')
