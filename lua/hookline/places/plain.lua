-- Where nothing is escaped: what a template captures.
local common = require "hookline.places.common"
local values = require "hookline.liquid.values"

local plain = common.even("a captured text", values.output)

function plain.markup()
end

return plain
