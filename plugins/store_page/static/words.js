// Numbers and times as people read them.

export function number(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function age(milliseconds) {
  if (milliseconds === null || Number.isNaN(milliseconds)) return "–";
  const seconds = Math.max(0, milliseconds / 1000);
  return seconds < 172800 ? `${duration(seconds)} ago` : `${Math.floor(seconds / 86400)} days ago`;
}

export function time(iso) {
  return iso ? iso.slice(0, 19).replace("T", " ") : "–";
}

export function hour(seconds) {
  const start = new Date(seconds * 1000).toISOString();
  const end = new Date((seconds + 3600) * 1000).toISOString();
  return `${start.slice(0, 10)} ${start.slice(11, 16)}–${end.slice(11, 16)}`;
}

export function element(tag, text = "", properties = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  return Object.assign(made, properties);
}

export function row(...cells) {
  const made = document.createElement("tr");
  for (const cell of cells) {
    if (cell instanceof HTMLTableCellElement) made.append(cell);
    else if (cell instanceof Node) made.append(fill(element("td"), cell));
    else made.append(element("td", String(cell)));
  }
  return made;
}

export function fill(holder, ...children) {
  holder.replaceChildren(...children);
  return holder;
}

export function nothing(columns, text) {
  return row(element("td", text, { colSpan: columns }));
}
