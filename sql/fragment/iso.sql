rtrim(rtrim(to_char(&1, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'
