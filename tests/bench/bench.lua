-- SPDX-License-Identifier: Apache-2.0
-- One script for wrk: BENCH_CASE says which requests, BENCH_FILE has a line of input a user: id, access token, refresh token, address.
local case, json = os.getenv("BENCH_CASE"), { ["Content-Type"] = "application/json" }
local threads = 0

function setup(thread)
	thread:set("thread_id", threads)
	threads = threads + 1
end

local users, free, made, stamp = {}, {}, 0, os.getenv("BENCH_STAMP")

function init()
	local n, step = 0, tonumber(os.getenv("BENCH_THREADS"))
	for line in io.lines(os.getenv("BENCH_FILE")) do
		n = n + 1
		if n % step == thread_id then -- each thread has users of its own
			local id, access, refresh, email = line:match("(%S+) (%S+) (%S+) (%S+)")
			users[#users + 1] = { access = access, email = email }
			free[#free + 1] = refresh
		end
	end
end

local function bearer(user)
	return { ["Authorization"] = "Bearer " .. user.access }
end

local function any()
	return users[math.random(#users)]
end

local cases = {
	health = function() return wrk.format("GET", "/health") end,
	settings = function() return wrk.format("GET", "/settings") end,
	user = function() return wrk.format("GET", "/user", bearer(any())) end,
	refresh = function()
		-- A token is used once; its heir comes with the answer.
		return wrk.format("POST", "/token?grant_type=refresh_token", json, '{"refresh_token":"' .. table.remove(free, 1) .. '"}')
	end,
	password = function()
		return wrk.format("POST", "/token?grant_type=password", json, '{"email":"' .. any().email .. '","password":"bench password 1"}')
	end,
	signup = function()
		made = made + 1
		local email = ("new.%s.%d.%d@example.com"):format(stamp, thread_id, made)
		return wrk.format("POST", "/signup", json, '{"email":"' .. email .. '","password":"bench password 1"}')
	end,
}
request = cases[case]

if case == "refresh" then
	function response(status, headers, body)
		free[#free + 1] = body:match('"refresh_token":"([^"]+)"')
	end
end

function done(summary, latency)
	local e = summary.errors
	io.write(("BENCH %f %f %f %d\n"):format(summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		e.status + e.connect + e.read + e.write + e.timeout))
end
