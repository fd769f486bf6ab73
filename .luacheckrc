std = "lua54"
max_line_length = 100
-- Rules see the pure libraries alone, and `require`.
files["rules/**/*.lua"] = { not_globals = { "os", "io", "debug", "load", "loadfile", "dofile" } }
-- The runner of the Lua tests gives them these.
files["tests/lua/*.lua"] = { read_globals = { "test", "support", "compile", "read_file", "add_file" } }
files["tests/bench/events.lua"] = { globals = { "wrk", "request" } }
