// Lines over the last minutes, drawn by uPlot. What they say is said in words, too.
import uPlot from "../../lib/uplot.js";
import { html, useEffect, useRef } from "../lib.js";
import { formatClock, formatNumber } from "../format.js";

const HEIGHT = 190;

// The colour that a class has in the theme in force.
function colourOf(place, name) {
  const probe = document.createElement("span");
  probe.className = name;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const axisOf = (colours, more) => ({
  stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false },
  font: "12px system-ui, sans-serif", ...more,
});

function optionsOf(place, lines) {
  const colours = { text: colourOf(place, "quiet"), grid: colourOf(place, "chart-grid") };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (u, low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      axisOf(colours, { values: (u, splits) => splits.map((s) => formatClock(s * 1000)), space: 60, size: 30 }),
      axisOf(colours, { values: (u, splits) => splits.map((n) => (Number.isInteger(n) ? formatNumber(n) : "")), size: 46 }),
    ],
    series: [{}, ...lines.map((line) => ({
      label: line.title, stroke: colourOf(place, line.className), width: 1.75, points: { show: false },
    }))],
  };
}

const sumOf = (numbers) => numbers.reduce((sum, n) => sum + n, 0);

// times: in seconds. lines: { title, className, values }.
export function Chart({ label, times, lines }) {
  const place = useRef(null);
  const plot = useRef(null);
  const data = [times, ...lines.map((line) => line.values)];
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(place.current, lines), latest.current, place.current);
    };
    const size = new ResizeObserver(() => plot.current?.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    const dark = matchMedia("(prefers-color-scheme: dark)");
    draw();
    size.observe(place.current);
    dark.addEventListener("change", draw);
    addEventListener("themechange", draw);
    return () => {
      size.disconnect();
      dark.removeEventListener("change", draw);
      removeEventListener("themechange", draw);
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);
  const words = lines.map((line) => `${line.title}: ${formatNumber(sumOf(line.values))}`).join(", ");
  return html`
    <figure>
      <div class="chart" ref=${place} role="img" aria-label=${`${label}. ${words}.`}></div>
      <figcaption class="chart-legend">${lines.map((line) => html`
        <span class=${line.className}>${line.title}</span>`)}</figcaption>
    </figure>`;
}
