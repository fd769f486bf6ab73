-- The value of a header. There is no escape in it: a value that it may not hold (a line break, say)
-- is found when the request's head is made, and never sent.
local common = require "hookline.places.common"
local values = require "hookline.liquid.values"

return common.even("a header's value", values.output)
