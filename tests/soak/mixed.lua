-- SPDX-License-Identifier: Apache-2.0
-- Requests of all kinds in turn, good ones and bad ones.
local json = { ["Content-Type"] = "application/json" }
local bearer = { ["Authorization"] = "Bearer " .. os.getenv("SOAK_TOKEN"), ["Content-Type"] = "application/json" }
local email, n = os.getenv("SOAK_EMAIL"), 0
local long = string.rep("x", 60000)

local kinds = {
	function() return wrk.format("GET", "/user", bearer) end,
	function() return wrk.format("GET", "/settings") end,
	function() return wrk.format("POST", "/token?grant_type=password", json, '{"email":"' .. email .. '","password":"correct horse 7"}') end,
	function() return wrk.format("POST", "/token?grant_type=password", json, '{"email":"' .. email .. '","password":"wrong"}') end,
	function() return wrk.format("POST", "/token?grant_type=refresh_token", json, '{"refresh_token":"aaaabbbbcccc"}') end,
	function() return wrk.format("PUT", "/user", bearer, '{"data":{"n":' .. n .. "}}") end,
	function() return wrk.format("PUT", "/user", bearer, '{"data":{"long":"' .. long .. '"') end,
	function() return wrk.format("GET", "/user", { ["Authorization"] = "Bearer " .. long:sub(1, 6000) }) end,
	function() return wrk.format("GET", "/nothing?" .. long:sub(1, 2000)) end,
	function() return wrk.format("POST", "/signup", json, '{"email":"soak.' .. n .. "." .. os.time() .. '@example.com","password":"correct horse 7"}') end,
}

function request()
	n = n + 1
	return kinds[n % #kinds + 1]()
end
