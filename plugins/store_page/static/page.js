// The page: what is chosen, what is asked, what is drawn. The choice stands in the address.
import { Refused, address, ask, fetchFile } from "./api.js";
import * as heatMap from "./heat_map.js";
import * as peopleChart from "./people_chart.js";
import * as tables from "./tables.js";
import { duration, element, fill, number, time } from "./words.js";

const LIVE_SECONDS = 5;
const HEALTH_SECONDS = 15;
const PLAY_MS = 700;
const find = (id) => document.getElementById(id);
const form = find("choice");
const notice = find("notice");
const state = {
  cameras: [], zones: null, hour: null, still: null, stillOf: "", paths: new Map(),
  page: 1, pages: 1, tracks: [], asked: null, askedTracks: null, askedPaths: new AbortController(),
  playing: null, starting: false,
};

// --- what is chosen

function chosen() {
  const { store, camera, mode, first, last, live } = form.elements;
  const of = { store: store.value, camera: camera.value };
  return mode.value === "live" ? { ...of, live: live.value } : { ...of, first: first.value, last: last.value };
}

function isUsable(choice) {
  return Boolean(choice.store && choice.camera && (choice.live || (choice.first && choice.last)));
}

function span(camera) {
  return `${time(camera.data_from).slice(0, 16)} to ${time(camera.data_to).slice(0, 16)}`;
}

function lastDay(camera) {
  return new Date(Date.parse(camera.data_to) - 1).toISOString().slice(0, 10);
}

function cameraChosen() {
  const { store, camera } = form.elements;
  return state.cameras.find((each) => each.store_id === store.value && each.camera_id === camera.value);
}

function offer(select, values, wanted) {
  fill(select, ...values.map((value) => element("option", value, { value })));
  if (values.includes(wanted)) select.value = wanted;
  select.disabled = values.length === 0;
}

function offerCameras(wanted) {
  const { store, camera } = form.elements;
  offer(camera, state.cameras.filter((each) => each.store_id === store.value).map((each) => each.camera_id), wanted);
}

function readAddress() {
  const wanted = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const { store, first, last, live } = form.elements;
  offer(store, [...new Set(state.cameras.map((each) => each.store_id))], wanted.store);
  offerCameras(wanted.camera);
  const camera = cameraChosen();
  form.elements.mode.value = wanted.live ? "live" : "days";
  if (wanted.live && [...live.options].some((each) => each.value === wanted.live)) live.value = wanted.live;
  if (camera) {
    first.value = wanted.first ?? lastDay(camera);
    last.value = wanted.last ?? first.value;
  }
  form.dataset.mode = form.elements.mode.value;
  const missing = (wanted.store && wanted.store !== store.value) || (wanted.camera && wanted.camera !== form.elements.camera.value);
  return missing ? "The address names a store or a camera that Gold does not know. Shown is another." : "";
}

function writeAddress(choice) {
  history.replaceState(null, "", `#${new URLSearchParams(choice)}`);
}

// --- what goes wrong is said in one place

const troubles = new Map();

// What passes by itself, when a server is back: it is asked again.
const PASSING = new Set([0, 502, 503, 504]);

function trouble(part, message, passes = false) {
  if (message) troubles.set(part, { message, passes });
  else troubles.delete(part);
  const texts = [...new Set([...troubles.values()].map((each) => each.message))];
  notice.hidden = texts.length === 0;
  const said = texts.join(" ");
  if (notice.textContent !== said) notice.textContent = said;
  if (texts.some((text) => text.startsWith("Your login"))) {
    notice.append(" ", element("a", "Log in", { href: "./", target: "_top" }));
  }
}

// One part of the page: ask, draw; where it is refused say why. A refresh keeps what was drawn before;
// of another choice nothing is left that could be taken for this one's.
async function part(name, holders, asking, draw, { quiet = false } = {}) {
  const places = quiet ? [] : holders.map(find);
  places.forEach((place) => wait(place, 1));
  try {
    draw(await asking);
    trouble(name, "");
    return true;
  } catch (error) {
    if (error.name === "AbortError") return false;
    if (!(error instanceof Refused)) throw error;
    if (!quiet) places.forEach(clear);
    trouble(name, error.message, name !== "path" && PASSING.has(error.status));
    return false;
  } finally {
    places.forEach((place) => wait(place, -1));
  }
}

// Several may ask for one place: it is ready when none does any more.
function wait(place, more) {
  const waits = Number(place.dataset.waits ?? 0) + more;
  place.dataset.waits = waits;
  place.classList.toggle("waits", waits > 0);
}

const SAID = { "people-chart": "people-said", "heat-map": "heat-said", "track-rows": "page-said" };

function clear(place) {
  if (SAID[place.id]) find(SAID[place.id]).textContent = "";
  if (place.id === "totals") place.querySelectorAll("dd").forEach((figure) => { figure.textContent = "–"; });
  else if (place.id === "people-chart") peopleChart.clear(place);
  else if (place.id !== "choice") fill(place);
}

// --- the parts

function nobody() {
  const camera = cameraChosen();
  return `Nobody was counted in this time. Gold has ${form.elements.camera.value} from ${span(camera)}.`;
}

function drawTotals(totals) {
  const shown = {
    peak_people: number(totals.peak_people ?? 0),
    peak_minute: totals.peak_minute ? `at ${time(totals.peak_minute).slice(0, 16)}` : "nobody was counted",
    tracks: number(totals.tracks),
    median: duration(totals.median_duration_seconds),
    longest: totals.max_duration_seconds === null ? "" : `longest ${duration(totals.max_duration_seconds)}`,
    minutes_with_people: number(totals.minutes_with_people),
    detections: `${number(totals.detections)} detections`,
  };
  for (const [name, text] of Object.entries(shown)) {
    document.querySelector(`[data-total="${name}"]`).textContent = text;
  }
}

function drawPeople(answer) {
  peopleChart.draw(find("people-chart"), answer, nobody());
  const said = peopleChart.spoken(answer);
  find("people-chart").setAttribute("aria-label", said || nobody());
  find("people-said").textContent = said && `${said} The line breaks where nobody was seen for more than ${peopleChart.GAP_MINUTES} minutes.`;
  if (performance.getEntriesByName("first-chart").length === 0) {
    requestAnimationFrame(() => performance.mark("first-chart"));
  }
}

function drawHeat() {
  const zones = state.zones;
  const slider = find("heat-hour");
  if (!zones || zones.hour.length === 0) {
    slider.max = 0;
    slider.disabled = find("heat-play").disabled = true;
    find("heat-said").textContent = "";
    if (zones) heatMap.empty(find("heat-map"), nobody());
    return;
  }
  const hours = heatMap.hoursOf(zones);
  // an hour that Live has left behind: all of them
  const place = Math.max(0, hours.indexOf(state.hour));
  slider.max = hours.length - 1;
  slider.value = place;
  slider.disabled = find("heat-play").disabled = false;
  const said = heatMap.draw(find("heat-map"), {
    zones, measure: find("heat-measure").value, chosenHour: hours[place],
    still: find("still-on").checked ? state.still : null, paths: [...state.paths.values()],
  });
  find("heat-said").textContent = said;
  slider.setAttribute("aria-valuetext", said);
}

function loadStill(choice) {
  const key = JSON.stringify([choice.store, choice.camera]);
  if (key === state.stillOf) return;
  state.stillOf = key;
  state.still = null;
  find("still-choice").hidden = true;
  if (!cameraChosen()?.has_still) return;
  const picture = new Image();
  picture.addEventListener("load", () => {
    if (state.stillOf !== key) return;
    state.still = { url: picture.src, width: picture.naturalWidth, height: picture.naturalHeight };
    find("still-choice").hidden = false;
    drawHeat();
  });
  picture.src = address("still", { store: choice.store, camera: choice.camera });
}

function drawTracks(answer) {
  state.tracks = answer.tracks;
  state.pages = Math.max(1, Math.ceil(answer.all_tracks / answer.size));
  find("page-said").textContent = answer.all_tracks ? `Page ${answer.page} of ${number(state.pages)}, ${number(answer.all_tracks)} rows` : "";
  find("page-back").disabled = answer.page <= 1;
  find("page-on").disabled = answer.page >= state.pages;
  listTracks();
}

// The rows are made anew, in Live each few seconds: who was on a button is on it again.
function listTracks() {
  const rows = find("track-rows");
  const focused = rows.contains(document.activeElement) ? document.activeElement.dataset.track : null;
  tables.tracks(rows, state.tracks, state.paths, toggle);
  if (focused) [...rows.querySelectorAll("button")].find((button) => button.dataset.track === focused)?.focus();
  find("paths-away").hidden = state.paths.size === 0;
}

async function toggle(track) {
  const key = tables.keyOf(track);
  if (!state.paths.delete(key)) {
    await part("path", [], ask("path", {
      ...chosen(), run: track.run_id, track: track.track_id, begin: track.start_ts, end: track.end_ts,
    }, state.askedPaths.signal), (path) => {
      if (state.paths.size >= heatMap.MAX_PATHS) state.paths.delete(state.paths.keys().next().value);
      state.paths.set(key, { ...path, name: `track ${track.track_id}` });
    });
  }
  listTracks();
  drawHeat();
}

function forgetPaths() {
  state.askedPaths.abort();
  state.askedPaths = new AbortController();
  state.paths.clear();
  trouble("path", "");
}

function askTracks(choice, options = {}) {
  state.askedTracks?.abort();
  state.askedTracks = new AbortController();
  const wanted = { ...choice, page: state.page, order: find("tracks-order").value };
  return part("tracks", ["track-rows"], ask("tracks", wanted, state.askedTracks.signal), drawTracks, options);
}

function turnTo(page) {
  state.page = Math.min(Math.max(1, page), state.pages);
  return askTracks(chosen());
}

function offerDownloads(choice) {
  for (const holder of document.querySelectorAll(".downloads")) {
    fill(holder, ...["csv", "parquet"].map((file) => element("a", { csv: "CSV", parquet: "Parquet" }[file], {
      href: address("download", { ...choice, what: holder.dataset.what, file }), download: "",
      ariaLabel: `${holder.dataset.what} as ${file}`, onclick: download,
    })));
  }
}

// A link that saves would show a refusal as a failed download, without the reason.
async function download(event) {
  event.preventDefault();
  const link = event.currentTarget;
  await part("download", [], fetchFile(link.href), ({ name, content }) => {
    // in Airflow's menu the page stands in a frame that may save nothing; Airflow's own page may
    const page = top.document ?? document;
    const saved = Object.assign(page.createElement("a"), { href: URL.createObjectURL(content), download: name });
    page.body.append(saved);
    saved.click();
    saved.remove();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60_000);
  });
}

let healthAt = 0;

function askHealth(choice, signal, options) {
  healthAt = Date.now();
  return Promise.all([
    part("jobs", ["job-rows"], ask("jobs", {}, signal), (answer) => tables.jobs(find("job-rows"), answer), options),
    part("health", ["freshness-rows", "quarantine-rows", "identity-rows", "quality-rows"], ask("health", choice, signal), (answer) => {
      find("quarantine-days").textContent = answer.health_days;
      tables.identities(find("identity-rows"), answer.identities);
      tables.quality(find("quality-rows"), answer.quality);
      tables.freshness(find("freshness-rows"), answer);
      tables.quarantine(find("quarantine-rows"), answer);
    }, options),
  ]);
}

// --- the whole

async function show({ quiet = false } = {}) {
  const choice = chosen();
  trouble("choice", isUsable(choice) ? "" : "Choose a store, a camera and days.");
  if (!isUsable(choice)) return;
  // a refresh waits for what is under way; a new choice does not
  if (quiet && state.asked) return;
  state.asked?.abort();
  const asked = state.asked = new AbortController();
  try {
    await showAll(choice, quiet, asked);
  } finally {
    if (state.asked === asked) state.asked = null;
  }
}

async function showAll(choice, quiet, { signal }) {
  if (!quiet) {
    writeAddress(choice);
    offerDownloads(choice);
    loadStill(choice);
  }
  const options = { quiet };
  const parts = [
    part("people", ["people-chart"], ask("people", choice, signal), drawPeople, options),
    part("totals", ["totals"], ask("totals", choice, signal), drawTotals, options),
    part("zones", ["heat-map"], ask("zones", choice, signal), (zones) => { state.zones = zones; drawHeat(); }, options),
    part("dwell", ["dwell-rows"], ask("dwell", choice, signal), (answer) => tables.dwell(find("dwell-rows"), answer.zones), options),
  ];
  const good = await Promise.all(parts);
  if (signal.aborted) return;
  // below the first screen: after what is seen first
  const more = [askTracks(choice, options)];
  if (!quiet || Date.now() - healthAt > HEALTH_SECONDS * 1000) more.push(askHealth(choice, signal, options));
  await Promise.all(more);
  if (!signal.aborted && !quiet && good.every(Boolean)) find("said").textContent = `Shown: ${choice.store}, ${choice.camera}.`;
}

function choose() {
  state.page = state.pages = 1;
  state.hour = state.zones = null;
  state.tracks = [];
  state.askedTracks?.abort();
  forgetPaths();
  form.dataset.mode = form.elements.mode.value;
  return show();
}

async function start() {
  if (state.starting) return;
  state.starting = true;
  await part("choices", ["choice"], ask("choices"), ({ cameras }) => {
    state.cameras = cameras;
    if (cameras.length === 0) {
      throw new Refused(200, "no_data", "There is no data yet. Run the DAG retail_video_analytics, or stream a camera, and people appear here.");
    }
    trouble("address", readAddress());
    show();
  });
  state.starting = false;
}

function play() {
  const button = find("heat-play");
  const stop = () => {
    clearInterval(state.playing);
    state.playing = null;
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Play";
  };
  if (state.playing) return stop();
  const slider = find("heat-hour");
  if (slider.value === slider.max) scrubTo(0);
  button.setAttribute("aria-pressed", "true");
  button.textContent = "Stop";
  state.playing = setInterval(() => {
    if (slider.value === slider.max) return stop();
    scrubTo(Number(slider.value) + 1);
  }, PLAY_MS);
}

function scrubTo(place) {
  state.hour = heatMap.hoursOf(state.zones)[place];
  drawHeat();
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  trouble("address", "");
  if (event.target.name === "store") offerCameras("");
  if (event.target.name === "first" && form.elements.last.value < event.target.value) form.elements.last.value = event.target.value;
  choose();
});
find("heat-measure").addEventListener("change", drawHeat);
find("still-on").addEventListener("change", drawHeat);
find("heat-hour").addEventListener("input", (event) => scrubTo(Number(event.target.value)));
find("heat-play").addEventListener("click", play);
find("tracks-order").addEventListener("change", () => turnTo(1));
find("page-back").addEventListener("click", () => turnTo(state.page - 1));
find("page-on").addEventListener("click", () => turnTo(state.page + 1));
find("paths-away").addEventListener("click", () => { forgetPaths(); listTracks(); drawHeat(); });
addEventListener("hashchange", () => { trouble("address", readAddress()); choose(); });

let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(peopleChart.again, 150); });

const themeButton = find("theme");
function showTheme() {
  const dark = document.documentElement.dataset.theme === "dark";
  themeButton.setAttribute("aria-pressed", String(dark));
}
themeButton.addEventListener("click", () => {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try { localStorage.setItem("rva-theme", next); } catch { /* a browser that keeps nothing */ }
  showTheme();
  peopleChart.again();
});
showTheme();

// Live goes on by itself; so does what a server's absence has left out.
setInterval(() => {
  if (document.hidden) return;
  const passes = [...troubles.values()].some((each) => each.passes);
  if (state.cameras.length === 0) start();
  else if (form.elements.mode.value === "live" || passes) show({ quiet: true });
}, LIVE_SECONDS * 1000);

start();
