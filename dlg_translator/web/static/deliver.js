// What becomes of a division: a file for hosts, a session on a manager, a file on the server.

import { download, post, postForBlob } from "./api.js";
import { byId, count, make } from "./dom.js";

export class Deliver {
  /** `work` runs a step: it shows what is going on, and what goes wrong. */
  constructor(work) {
    this.work = work;
    this.result = null;
    byId("submit").addEventListener("submit", (event) => this.on(event, () => this.submit()));
    byId("map").addEventListener("submit", (event) => this.on(event, () => this.map()));
    byId("save").addEventListener("submit", (event) => this.on(event, () => this.save()));
  }

  setUp(library) {
    if (!byId("manager").value) byId("manager").value = library.manager;
    byId("save-box").hidden = !library.can_save;
  }

  show(result) {
    this.result = result;
    byId("deliver").hidden = !result;
    byId("step-deliver").querySelector(".wait").hidden = Boolean(result);
    byId("submitted").hidden = true;
    if (!result) return;
    const { algo, num_parts, num_islands } = result.objectives;
    byId("chosen").replaceChildren(
      "The division by ", make("strong", {}, algo),
      `: ${count(num_parts, "part")} in ${count(num_islands, "island")}.`,
    );
    const stem = result.name.split("/").at(-1).split(".")[0] || "graph";
    byId("save-name").value = `${stem}.${algo}.json`;
  }

  on(event, step) {
    event.preventDefault();
    if (this.result) step();
  }

  submit() {
    const values = { manager: byId("manager").value, session: byId("session").value.trim() };
    const place = byId("submitted");
    place.hidden = true;
    return this.work(`Submitting to ${values.manager}`, async () => {
      const told = await post(`api/partitions/${this.result.id}/submit`, values);
      const elsewhere = { target: "_blank", rel: "noopener noreferrer" };
      const page = make("a", { href: told.page, ...elsewhere }, told.session);
      const where = count(told.nodes.length, "node");
      place.replaceChildren(
        `${count(told.drops, "drop")} deployed on ${where} as session `, page, ".",
      );
      place.hidden = false;
    });
  }

  map() {
    return this.work("Mapping", async () => {
      const blob = await postForBlob(`api/partitions/${this.result.id}/map`, { nodes: byId("nodes").value });
      download(blob, byId("save-name").value.replace(/\.json$/, ".pg.json"));
    });
  }

  save() {
    const name = byId("save-name").value.trim();
    return this.work("Saving", async () => {
      await post(`api/partitions/${this.result.id}/save`, { pgt_name: name });
    }, `Saved as ${name}`);
  }
}
