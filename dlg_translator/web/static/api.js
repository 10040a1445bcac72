// Talking to the service. An error carries what the service lists.

export class Refusal extends Error {
  constructor(message, problems = [], status = 0) {
    super(message);
    this.problems = problems;
    this.status = status;
  }
}

async function call(path, init) {
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Refusal("The service cannot be reached. Is it still running?");
  }
  if (answer.ok) return answer;
  let told;
  try {
    told = await answer.json();
  } catch {
    told = { error: `${answer.status} ${answer.statusText}`, problems: [] };
  }
  throw new Refusal(told.error, told.problems, answer.status);
}

const posted = (values) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(values),
});

export const get = async (path) => (await call(path)).json();
export const getText = async (path) => (await call(path)).text();
export const post = async (path, values) => (await call(path, posted(values))).json();
export const postForBlob = async (path, values) => (await call(path, posted(values))).blob();

/** Hand a file to the browser to save. */
export function download(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it after this task; a minute is more than it needs.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
