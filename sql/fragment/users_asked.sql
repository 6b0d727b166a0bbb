(:email::text is null or %same_address(u.email, :email::text)) and (:phone::text is null or u.phone = :phone::text)
    and (:filter::text is null or %user_matches(:filter::text))
