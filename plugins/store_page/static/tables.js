// The page's tables and marks.
import { age, duration, element, fill, nothing, number, row, time } from "./words.js";

const MARKS = {
  good: ["✓", "in order"], fair: ["!", "to be watched"], bad: ["✗", "wrong"],
};

export function mark(kind) {
  const [sign, meaning] = MARKS[kind];
  return element("span", sign, { className: `mark ${kind}`, title: meaning, ariaLabel: meaning, role: "img" });
}

function marked(kind, title, detail) {
  const line = element("li");
  line.dataset.kind = kind;
  line.append(mark(kind), title);
  if (detail) line.append(element("small", detail));
  return line;
}

function state(kind, text) {
  const cell = element("td");
  cell.append(mark(kind), ` ${text}`);
  return cell;
}

export function dwell(body, zones) {
  if (zones.length === 0) return fill(body, nothing(5, "No visits in this time."));
  const most = zones[0].total_dwell_seconds;
  return fill(body, ...zones.map((zone) => {
    const total = element("td");
    const name = `x${zone.zone_x} y${zone.zone_y}`;
    total.append(
      element("meter", "", { min: 0, max: most || 1, value: zone.total_dwell_seconds, ariaLabel: `dwell of ${name}` }),
      duration(zone.total_dwell_seconds),
    );
    return row(name, total, number(zone.visits), duration(zone.avg_dwell_seconds), duration(zone.max_dwell_seconds));
  }));
}

export function tracks(body, found, drawn, toggle) {
  if (found.length === 0) return fill(body, nothing(7, "No tracks start in this time."));
  return fill(body, ...found.map((track) => {
    const shown = drawn.has(keyOf(track));
    const button = element("button", shown ? "Hide" : "Draw", { type: "button", ariaPressed: String(shown), ariaLabel: `${shown ? "Hide" : "Draw"} the path of track ${track.track_id}` });
    button.dataset.track = keyOf(track);
    button.addEventListener("click", () => toggle(track));
    return row(
      track.track_id, time(track.start_ts), duration(track.duration_seconds), number(track.frames),
      track.avg_conf.toFixed(2), element("td", track.run_id, { className: "wide", title: track.run_id }), button,
    );
  }));
}

export function keyOf(track) {
  return JSON.stringify([track.run_id, track.track_id, track.start_ts]);
}

const STALE_CHECKPOINT_MS = 3 * 60 * 1000;

export function jobs(body, answer) {
  return fill(body, ...answer.jobs.map((job) => {
    const since = job.newest_checkpoint_ms === null ? null : answer.now_ms - job.newest_checkpoint_ms;
    const running = state(job.is_running ? "good" : "bad", job.status.toLowerCase());
    if (job.last_failure) running.title = job.last_failure;
    const checkpoint = since === null ? "none yet" : state(job.is_running && since > STALE_CHECKPOINT_MS ? "fair" : "good", age(since));
    return row(job.name, running, checkpoint, number(job.failed_checkpoints));
  }));
}

const VERDICTS = { holds: "good", moving: "fair", late: "fair", broken: "bad" };
const OUTCOMES = { pass: "good", warn: "fair", fail: "bad", error: "bad" };

export function identities(list, found) {
  return fill(list, ...found.map((each) => marked(
    VERDICTS[each.verdict],
    `${each.name}: ${number(each.expected)} = ${number(each.actual)}`.replace(" = ", each.expected === each.actual ? " = " : " ≠ "),
    each.explanation,
  )));
}

export function quality(list, found) {
  if (found.length === 0) return fill(list, element("li", "No checks have been run of these days: the nightly backfill runs them."));
  return fill(list, ...found.map((each) => marked(
    OUTCOMES[each.outcome],
    `${each.day} ${each.layer}/${each.check_name}: ${each.outcome}`,
    each.outcome === "pass" ? "" : [each.violations === null ? "" : `${number(each.violations)} of ${number(each.checked)}.`, each.example ?? each.detail ?? ""].join(" "),
  )));
}

export function freshness(body, answer) {
  if (answer.freshness.length === 0) return fill(body, nothing(5, `No messages in the last ${answer.health_days} days.`));
  const now = Date.parse(answer.now);
  const since = (iso) => {
    const cell = element("td", iso ? age(now - Date.parse(iso)) : "–");
    cell.title = time(iso);
    return cell;
  };
  return fill(body, ...answer.freshness.map((each) => row(
    each.camera_id, since(each.received), since(each.in_bronze), since(each.in_silver), since(each.in_gold),
  )));
}

export function quarantine(body, answer) {
  if (answer.quarantine.length === 0) return fill(body, nothing(4, `Nothing was quarantined in the last ${answer.health_days} days.`));
  return fill(body, ...answer.quarantine.map((each) => row(
    each.reason, number(each.quarantined), number(each.replayed), time(each.last_received),
  )));
}
