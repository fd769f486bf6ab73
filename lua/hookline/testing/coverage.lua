-- The conditions of a workflow, each with its verdict for an event: what `hookline test --coverage`
-- counts. All of them are judged, also those that a run would skip.
local core = require "hookline.core"
local diff = require "hookline.testing.diff"
local faults = require "hookline.faults"
local private = require "hookline.private"

local coverage = {}

local function words_of(node)
  if node.fn then
    return "a function"
  end
  local wanted = ""
  if type(node.shown) == "table" then
    wanted = " " .. diff.show(core.array(table.move(node.shown, 1, #node.shown, 1, {})))
  elseif node.shown ~= nil then
    wanted = " " .. diff.show(node.shown)
  end
  return ("%s %s%s"):format(node.field.text, node.operator, wanted)
end

local function add_leaves(node, event, verb, leaves)
  if node.children then
    for _, child in ipairs(node.children) do
      add_leaves(child, event, verb, leaves)
    end
    return
  end
  local line = node.fn and tonumber(node.place:match "(%d+)$") or node.scope.line
  local is_fine, verdict = pcall(node.test, event, verb)
  leaves[#leaves + 1] = { line = line, words = words_of(node), verdict = is_fine and verdict }
end

--- An array of { line, words, verdict }, in the order in which they are written; {} for an event
--- that the workflow's trigger does not want.
function coverage.of(description, event)
  local leaves, verb = core.array {}, description.verb_of[event.type]
  if description.when and verb then
    faults.enter_run()
    private.forget()
    private.enter(event, description)
    add_leaves(description.when, event, verb, leaves)
    private.forget()
  end
  return leaves
end

return coverage
