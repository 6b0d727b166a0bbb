make_interval(secs => :life::float8)
