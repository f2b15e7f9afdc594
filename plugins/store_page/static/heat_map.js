// The 10 x 10 grid over the camera's still, hour by hour, with the paths of tracks on it.
import { duration, element, fill, hour, number } from "./words.js";

const CELLS = 10;
const WIDTH = 1000;
const SVG = "http://www.w3.org/2000/svg";
const PATH_COLOURS = ["--path-1", "--path-2", "--path-3"];
export const MAX_PATHS = PATH_COLOURS.length;

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Hours that have somebody, oldest first; before them all of them together.
export function hoursOf(zones) {
  return [null, ...new Set(zones.hour)];
}

export function cellsOf(zones, measure, chosenHour) {
  const cells = new Array(CELLS * CELLS).fill(0);
  zones.hour.forEach((at, index) => {
    if (chosenHour === null || at === chosenHour) {
      cells[zones.zone_y[index] * CELLS + zones.zone_x[index]] += zones[measure][index];
    }
  });
  return cells;
}

export function draw(holder, { zones, measure, chosenHour, still, paths }) {
  const cells = cellsOf(zones, measure, chosenHour);
  const most = Math.max(...cells);
  const height = still ? Math.round((WIDTH * still.height) / still.width) : Math.round((WIDTH * 9) / 16);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": spoken(cells, measure, chosenHour) });
  if (still) svg.append(shape("image", { href: still.url, width: WIDTH, height }));
  const side = { x: WIDTH / CELLS, y: height / CELLS };
  cells.forEach((value, index) => {
    const place = { x: index % CELLS, y: Math.floor(index / CELLS) };
    const cell = shape("rect", {
      class: "cell", x: place.x * side.x, y: place.y * side.y, width: side.x, height: side.y,
      // the eye sees small shares better by their root; an empty cell stays empty
      "fill-opacity": value === 0 ? 0 : (0.08 + 0.77 * Math.sqrt(value / most)).toFixed(3),
      "data-cell": `x${place.x} y${place.y}`, "data-value": value,
    });
    cell.append(shape("title", {}));
    cell.lastChild.textContent = `x${place.x} y${place.y}: ${worth(value, measure)}`;
    svg.append(cell);
  });
  paths.forEach((path, index) => {
    const points = path.x.map((x, at) => `${(x * WIDTH).toFixed(1)},${(path.y[at] * height).toFixed(1)}`).join(" ");
    const colour = `var(${PATH_COLOURS[index % MAX_PATHS]})`;
    svg.append(shape("polyline", { class: "halo", points }));
    const line = shape("polyline", { class: "path", points, "data-path": path.name });
    line.style.stroke = colour;
    line.append(shape("title", {}));
    line.lastChild.textContent = path.name;
    svg.append(line);
    const start = shape("circle", { cx: path.x[0] * WIDTH, cy: path.y[0] * height, r: 9 });
    start.style.fill = colour;
    svg.append(start);
  });
  fill(holder, svg);
  return spoken(cells, measure, chosenHour);
}

export function empty(holder, text) {
  fill(holder, element("p", text, { className: "empty" }));
}

function worth(value, measure) {
  return measure === "hits" ? `${number(value)} detections` : duration(value);
}

function spoken(cells, measure, chosenHour) {
  const when = chosenHour === null ? "All hours" : hour(chosenHour);
  const all = cells.reduce((sum, value) => sum + value, 0);
  if (all === 0) return `${when}: nobody.`;
  const busiest = cells.indexOf(Math.max(...cells));
  return `${when}: ${worth(all, measure)}, most in x${busiest % CELLS} y${Math.floor(busiest / CELLS)}.`;
}
