-- What luacheck has to know of the store's scripts: each is sent to Redis with the texts of SHARED in front of it
-- (jobs/store/connection/connection.py), so what those define at their top level is known to all that come after them.
std = "lua51"
max_line_length = 120
local FOLDER = "jobs/store/lua/"
local SHARED = {"moves.lua", "holding.lua", "ends.lua", "quotas.lua"}
local REDIS = {"redis", "cjson", "KEYS", "ARGV", "MOVES"} -- Redis', and the table of legal moves in front of everything

local function words_of(file)
  local words = {}
  for line in io.lines(FOLDER .. file) do
    local names = line:match("^local function ([%w_]+)") or line:match("^local ([%w_, ]+) =")
    for name in (names or ""):gmatch("[%w_]+") do table.insert(words, name) end
  end
  return words
end

read_globals = REDIS
for _, file in ipairs(SHARED) do
  local known = {unpack(read_globals)}
  files[FOLDER .. file] = {read_globals = known, ignore = {}}
  for _, word in ipairs(words_of(file)) do
    table.insert(files[FOLDER .. file].ignore, "211/" .. word) -- unused here; a test looks for its users
    table.insert(read_globals, word)
  end
end
