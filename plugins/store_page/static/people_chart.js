// People per minute as lines over time. Gold has only the minutes in which somebody was seen: a short
// time between two of them is drawn as zero, a longer one as a gap, for the camera may have been off.
import { element, fill } from "./words.js";

const MINUTE = 60;
export const GAP_MINUTES = 10;
const LEGEND_PX = 34;
const NARROW_PX = 520;
let chart = null;
let drawn = null;

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

function columns(answer) {
  const columnsMade = [[], [], []];
  const put = (...values) => values.forEach((value, index) => columnsMade[index].push(value));
  let before = null;
  answer.minute.forEach((minute, index) => {
    const away = before === null ? 0 : (minute - before) / MINUTE - 1;
    if (away > GAP_MINUTES) {
      put(before + MINUTE, null, null);
    } else {
      for (let step = 1; step <= away; step += 1) put(before + step * MINUTE, 0, 0);
    }
    put(minute, answer.unique_people[index], answer.detections[index]);
    before = minute;
  });
  return columnsMade;
}

// UTC, whatever the browser's own zone
const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");

function options(holder) {
  const colour = colours();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const narrow = holder.clientWidth < NARROW_PX;
  return {
    width: holder.clientWidth,
    height: holder.clientHeight - LEGEND_PX,
    tzDate: utc,
    pxAlign: 0,
    cursor: { y: false },
    scales: { x: { range: (_, least, most) => (least === most ? [least - 5 * MINUTE, most + 5 * MINUTE] : [least, most]) }, people: { range: (_, __, most) => [0, Math.max(1, Math.ceil(most * 1.1))] }, detections: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    series: [
      { label: "Minute (UTC)", value: (_, at) => (at === null ? "–" : new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ")) },
      { label: "People", scale: "people", stroke: colour("--blue"), width: 2, fill: `${colour("--blue")}33`, points: { size: 5 } },
      { label: "Detections", scale: "detections", stroke: colour("--fair"), width: 1, dash: [4, 4] },
    ].slice(0, narrow ? 2 : 3),
    axes: [
      { ...axis, values: (_, at) => at.map(label(at)) },
      { ...axis, scale: "people", incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      { ...axis, scale: "detections", side: 1, grid: { show: false } },
    ].slice(0, narrow ? 2 : 3),
  };
}

function label(at) {
  const day = at.length > 1 && at[at.length - 1] - at[0] > 36 * 3600;
  return (seconds) => {
    const text = new Date(seconds * 1000).toISOString();
    return day && text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
  };
}

export function draw(holder, answer, nobody) {
  drawn = { holder, answer, nobody };
  chart?.destroy();
  chart = null;
  if (answer.minute.length === 0) {
    fill(holder, element("p", nobody, { className: "empty" }));
    return;
  }
  fill(holder);
  const wanted = options(holder);
  chart = new uPlot(wanted, columns(answer).slice(0, wanted.series.length), holder);
}

export function clear(holder) {
  chart?.destroy();
  chart = drawn = null;
  fill(holder);
}

export function again() {
  if (drawn) draw(drawn.holder, drawn.answer, drawn.nobody);
}

export function spoken(answer) {
  if (answer.minute.length === 0) return "";
  const most = Math.max(...answer.unique_people);
  const at = answer.minute[answer.unique_people.indexOf(most)];
  const when = new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ");
  return `${answer.minute.length.toLocaleString("en")} minutes with people; most: ${most} at ${when} UTC.`;
}
