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

async function fetched(url, signal) {
  let answer;
  try {
    answer = await fetch(url, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "airflow_away", "Airflow does not answer. The page goes on when it is back.");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.code ?? "refused", told.message ?? "The page was refused.");
}

export async function ask(name, values = {}, signal = undefined) {
  const answer = await fetched(address(name, values), signal);
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(answer.status, "unreadable", "The answer cannot be read: reload the page.");
  }
}

export async function fetchFile(url) {
  const answer = await fetched(url);
  const name = answer.headers.get("content-disposition").match(/filename="([^"]+)"/)[1];
  return { name, content: await answer.blob() };
}
