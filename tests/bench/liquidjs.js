// liquidjs.js MODULES TEMPLATE RECORD COUNT: the microseconds of one rendering by liquidjs, and what it renders.
const { Liquid } = require(process.argv[2] + '/liquidjs');
const fs = require('fs');
const engine = new Liquid();
const template = engine.parse(fs.readFileSync(process.argv[3], 'utf8'));
const record = JSON.parse(fs.readFileSync(process.argv[4], 'utf8'));
const data = { deal: record, event: { type: 'deal.created' } };
const count = Number(process.argv[5]);
let best = Infinity, text;
for (let round = 0; round < 5; round++) {
  const began = process.cpuUsage();
  for (let i = 0; i < count; i++) text = engine.renderSync(template, data);
  const took = process.cpuUsage(began);
  best = Math.min(best, (took.user + took.system) / count);
}
process.stdout.write(best.toFixed(3) + '\n' + text);
