-- The tags but loops and partials: each parses itself to a node.
local expressions = require "hookline.liquid.expressions"
local faults = require "hookline.liquid.faults"
local parser = require "hookline.liquid.parser"
local plain = require "hookline.places.plain"
local values = require "hookline.liquid.values"

local tags = {}

local null = require("hookline.core").null
local body_run = parser.body_run

local function nothing()
end

local function append(context, text)
  local n = context.n + 1
  context.n = n
  context.out[n] = text
end

local function stored(value)
  if value == nil then
    return null
  end
  return value
end

-- --- text and comments ---------------------------------------------------------------------------

function tags.comment(self, tag)
  local depth = 1
  while depth > 0 do
    local piece = self:take()
    if not piece then
      faults.raise(tag.tag_at, "{%% comment %%} is not closed; write {%% endcomment %%}")
    elseif piece.kind == "tag" and piece.name == "comment" then
      depth = depth + 1
    elseif piece.kind == "tag" and piece.name == "endcomment" then
      depth = depth - 1
    end
  end
  return { run = nothing, blank = true }
end

tags["#"] = function(_, tag)
  local at = tag.text:match "\n%s*()[^#%s]"
  if at then
    faults.raise(tag.at + at - 1, "each line of a comment begins with #")
  end
  return { run = nothing, blank = true }
end

function tags.echo(self, tag)
  local value, shown = expressions.parse_filtered(self:words(tag), true)
  return self:output_node(value, shown, tag.tag_at)
end

function tags.liquid(self, tag)
  local body = self:lines(tag):body()
  return { run = body_run(body), blank = body.blank }
end

-- --- variables -----------------------------------------------------------------------------------

function tags.assign(self, tag)
  local name, value_at = tag.text:match "^([%w_][%w_%-]*)%s*=()"
  if not name then
    faults.raise(tag.at, "expected NAME = VALUE")
  end
  self.compilation:bind(name)
  local value = expressions.parse_filtered(self:words(tag, tag.text:sub(value_at),
    tag.at + value_at - 1))
  return {
    blank = true,
    run = function(context)
      context.assigns[name] = stored(value(context))
    end,
  }
end

-- What a body shows, as text, and the signal that it ended with.
local function captured(context, run)
  local out, n = context.out, context.n
  context.out, context.n = {}, 0
  local signal = run(context)
  local text = table.concat(context.out, "", 1, context.n)
  context.out, context.n = out, n
  return text, signal
end

function tags.capture(self, tag)
  local name = tag.text:match "^[\"']?([%w_][%w_%-]*)[\"']?%s*$"
  if not name then
    faults.raise(tag.at, "expected a name")
  end
  self.compilation:bind(name)
  local place = self.compilation.place
  self.compilation.place = place and plain.new()
  local body = self:body(tag, { endcapture = true })
  self.compilation.place = place
  local run = body_run(body)
  return {
    blank = true,
    run = function(context)
      local text, signal = captured(context, run)
      context.assigns[name] = text
      return signal
    end,
  }
end

-- Counts from what the data has under the name, if that is a number.
local function counter(step, is_shown_before)
  return function(self, tag)
    local name = tag.text:match "^([%w_][%w_%-]*%??)%s*$"
    if not name then
      faults.raise(tag.at, "expected a name")
    end
    self.compilation:bind(name)
    local escape = self:escape(tag.tag_at)
    return {
      blank = false,
      run = function(context)
        local before = context.counters[name] or values.number(context.data[name])
        local after = before + step
        context.counters[name] = after
        append(context, escape(is_shown_before and before or after))
      end,
    }
  end
end

tags.increment = counter(1, true)
tags.decrement = counter(-1, false)

-- --- branches ------------------------------------------------------------------------------------

local function all_blank(branches)
  for _, branch in ipairs(branches) do
    if not branch.body.blank then
      return false
    end
  end
  return true
end

local function always()
  return true
end

local IF_ENDS = { ["else"] = true, ["elsif"] = true }

local function parse_branches(self, tag, first)
  local ends = { ["else"] = true, ["elsif"] = true, ["end" .. tag.name] = true }
  local branches, test, fork = {}, first, self:fork(tag)
  local ending
  repeat
    local body
    body, ending = self:body(tag, ends)
    fork:branch(ending.tag_at)
    branches[#branches + 1] = { test = test, body = body }
    test = always
    if ending.name == "elsif" then
      test = expressions.parse_condition(self:words(ending))
    end
  until not IF_ENDS[ending.name]
  local blank = all_blank(branches)
  fork:join(ending.tag_at, #branches > 1 and branches[#branches].test == always, blank)
  for _, branch in ipairs(branches) do
    branch.run = body_run(branch.body, blank)
  end
  return branches, blank
end

local function run_branches(branches)
  local test, run, count = branches[1].test, branches[1].run, #branches
  if count == 1 then
    return function(context)
      if test(context) then
        return run(context)
      end
    end
  elseif count == 2 and branches[2].test == always then
    local otherwise = branches[2].run
    return function(context)
      if test(context) then
        return run(context)
      end
      return otherwise(context)
    end
  end
  return function(context)
    for i = 1, count do
      local branch = branches[i]
      if branch.test(context) then
        return branch.run(context)
      end
    end
  end
end

tags["if"] = function(self, tag)
  local branches, blank = parse_branches(self, tag, expressions.parse_condition(self:words(tag)))
  return { run = run_branches(branches), blank = blank }
end

function tags.unless(self, tag)
  local condition = expressions.parse_condition(self:words(tag))
  local branches, blank = parse_branches(self, tag, function(context)
    return not condition(context)
  end)
  return { run = run_branches(branches), blank = blank }
end

-- literals: of all `when` of the case, by their values; is_told_apart is false where they may be
-- the same.
local function parse_when(stream, literals)
  local list = {}
  repeat
    local word = stream:peek()
    local is_literal = word.kind == "string" or word.kind == "number"
    literals.is_told_apart = literals.is_told_apart and is_literal and not literals[word.value]
    literals[word.value or ""] = true
    list[#list + 1] = expressions.parse(stream)
  until not (stream:take(",") or stream:take("id", "or"))
  stream:finish()
  return list
end

-- Each value of a `when` that is the same shows its block; `else` shows where none was so far.
local function run_case(subject, branches)
  return function(context)
    local value, is_found = subject(context), false
    for i = 1, #branches do
      local branch = branches[i]
      local times = 0
      if not branch.wanted then
        times = is_found and 0 or 1
      else
        for _, wanted in ipairs(branch.wanted) do
          times = times + (values.is_equal(value, wanted(context)) and 1 or 0)
        end
        is_found = is_found or times > 0
      end
      for _ = 1, times do
        local signal = branch.run(context)
        if signal then
          return signal
        end
      end
    end
  end
end

-- More than one branch may be shown, so each must come back to where the case begins, unless they
-- are known to exclude each other.
local function check_case(tag, fork, branches, literals, blank)
  local last = branches[#branches]
  local is_exclusive = literals.is_told_apart and (literals.others or 0) <= 1
    and (not literals.others or not last.wanted)
  if not blank and not is_exclusive and fork:has_moved() then
    faults.raise(tag.tag_at, "a branch of this {%% case %%} ends in another place than it begins "
      .. "in, and more than one may be shown; write if and elsif")
  end
end

function tags.case(self, tag)
  local stream = self:words(tag)
  local subject = expressions.parse(stream)
  stream:finish()
  local ends = { when = true, ["else"] = true, endcase = true }
  local branches, fork, literals = {}, self:fork(tag), { is_told_apart = true }
  local _, ending = self:body(tag, ends) -- what stands before the first `when` is never shown
  fork:forget()
  while ending.name ~= "endcase" do
    local branch = {}
    if ending.name == "when" then
      branch.wanted = parse_when(self:words(ending), literals)
    else
      literals.others = (literals.others or 0) + 1
    end
    branch.body, ending = self:body(tag, ends)
    fork:branch(ending.tag_at)
    branches[#branches + 1] = branch
  end
  local blank = all_blank(branches)
  check_case(tag, fork, branches, literals, blank)
  fork:join(ending.tag_at, literals.others, blank)
  for _, branch in ipairs(branches) do
    branch.run = body_run(branch.body, blank)
  end
  return { run = run_case(subject, branches), blank = blank }
end

-- --- what remembers ------------------------------------------------------------------------------

function tags.ifchanged(self, tag)
  local fork = self:fork(tag)
  local body, ending = self:body(tag, { endifchanged = true })
  fork:branch(ending.tag_at)
  fork:join(ending.tag_at, false)
  local run = body_run(body)
  return {
    blank = body.blank,
    run = function(context)
      local text, signal = captured(context, run)
      if text ~= context.changed then
        context.changed = text
        append(context, text)
      end
      return signal
    end,
  }
end

function tags.cycle(self, tag)
  local stream = self:words(tag)
  local list, name = {}, nil
  local first_use = #stream.uses + 1
  local first = expressions.parse(stream)
  if stream:take(":") then
    name = first
    for i = first_use, #stream.uses do
      stream.uses[i].is_implied = true -- a group's name need not be a variable
    end
  else
    list[1] = first
    if not stream:take(",") then
      stream:finish()
    end
  end
  while stream:peek().kind ~= "end" do
    list[#list + 1] = expressions.parse(stream)
    if not stream:take(",") then
      stream:finish()
    end
  end
  if #list == 0 then
    faults.raise(tag.at, "cycle takes at least one value")
  end
  local own_key, escape = "list " .. tag.text, self:escape(tag.tag_at)
  return {
    blank = false,
    run = function(context)
      local key = name and "name " .. values.text(name(context)) or own_key
      local at = context.cycles[key] or 0
      local value = list[at + 1]
      context.cycles[key] = at + 1 < #list and at + 1 or 0
      if value then
        append(context, escape(value(context)))
      end
    end,
  }
end

return tags
