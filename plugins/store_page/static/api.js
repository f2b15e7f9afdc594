// What the page asks of its API, and what it makes of a refusal.

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function address(name, values) {
  return `api/${name}?${new URLSearchParams(values)}`;
}

export async function ask(name, values = {}, signal = undefined) {
  let answer;
  try {
    answer = await fetch(address(name, values), { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "airflow_away", "Airflow does not answer. The page goes on when it is back.");
  }
  let told;
  try {
    told = await answer.json();
  } catch {
    throw new Refused(answer.status, "unreadable", "The answer cannot be read: reload the page.");
  }
  if (!answer.ok) {
    throw new Refused(answer.status, told.code ?? "refused", told.message ?? "The page was refused.");
  }
  return told;
}
