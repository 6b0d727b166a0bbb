lower((&1.identity_data ->> 'email') collate "C")
