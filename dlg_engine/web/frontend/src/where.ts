// What the page of tasks shows, as the part of its address behind the `#`: it can be kept and sent on.

export interface Where {
  readonly tab: string;
  /** A job and the namespace it was submitted in; null for all of them. */
  readonly job: string | null;
  readonly namespace: string | null;
  /** The task whose panel is open. */
  readonly task: number | null;
}

export const EVERYWHERE: Where = { tab: "tree", job: null, namespace: null, task: null };

/** Return what an address says; what is no such thing counts as not said. */
export function readWhere(hash: string, tabs: readonly string[]): Where {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const task = said.get("task") ?? "";
  const tab = said.get("tab") ?? "";
  return {
    tab: tabs.includes(tab) ? tab : EVERYWHERE.tab,
    job: said.get("job"),
    namespace: said.get("namespace"),
    task: /^[0-9]{1,10}$/.test(task) ? Number(task) : null,
  };
}

/** Return the address that says this. */
export function writeWhere(where: Where): string {
  const said = scopeOf(where);
  if (where.tab !== EVERYWHERE.tab) said.set("tab", where.tab);
  if (where.task !== null) said.set("task", String(where.task));
  return `#${said.toString()}`;
}

/** Return which tasks are meant, as parameters of a request; `more` are further ones that are not empty. */
export function scopeOf(where: Where, more: Readonly<Record<string, string | number | null>> = {}): URLSearchParams {
  const said = new URLSearchParams();
  if (where.job !== null) said.set("job", where.job);
  if (where.namespace !== null) said.set("namespace", where.namespace);
  for (const [name, value] of Object.entries(more)) if (value !== null && value !== "") said.set(name, String(value));
  return said;
}
