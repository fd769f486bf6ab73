std = "lua54"
max_line_length = 100
-- Rules see the pure libraries alone, and `require`.
files["rules/**/*.lua"] = { not_globals = { "os", "io", "debug", "load", "loadfile", "dofile" } }
