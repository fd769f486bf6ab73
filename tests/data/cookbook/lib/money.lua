-- Money as whole cents, whichever way it was written.
local money = {}

--- 12.5 and "12.50" are 1250; nil for what is no amount.
function money.cents(amount)
  local number = tonumber(amount)
  return number and math.floor(number * 100 + 0.5)
end

return money
