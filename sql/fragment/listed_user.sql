%user_plain(&1), null as identities, null as factors, null as told, %no_session
