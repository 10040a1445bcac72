// What is wrong, each with its place; choosing one shows the node it is about.

import { byId, count, make } from "./dom.js";

export class Problems {
  constructor(onPoint) {
    this.onPoint = onPoint;
    byId("hide-problems").addEventListener("click", () => this.hide(!byId("problem-list").hidden));
  }

  show(problems, error = "") {
    const wrong = problems.filter((problem) => problem.severity === "error").length;
    const warned = problems.length - wrong;
    const parts = [wrong ? count(wrong, "error") : "", warned ? count(warned, "warning") : ""];
    const headline = parts.filter(Boolean).join(" and ");
    const single = problems.length === 1 && problems[0].message === error;
    byId("h-problems").textContent = single || !error ? headline || error : error.replace(/:$/, "");
    byId("problem-list").replaceChildren(...problems.map((problem) => this.one(problem)));
    byId("problems").hidden = !problems.length && !error;
    byId("problems").classList.toggle("only-warnings", !wrong && !error);
    this.hide(!wrong && !error && problems.length > 3);
  }

  hide(hidden) {
    byId("problem-list").hidden = hidden;
    const button = byId("hide-problems");
    button.hidden = !byId("problem-list").childElementCount;
    button.textContent = hidden ? "Show" : "Hide";
    button.setAttribute("aria-expanded", String(!hidden));
  }

  one(problem) {
    const place = problem.name || problem.id;
    const where = place
      ? make("button", { type: "button", class: "link", onclick: () => this.onPoint(problem) }, place)
      : null;
    return make("li", { class: problem.severity },
      make("span", { class: "grade" }, problem.severity),
      make("span", { class: "what" }, where, where ? ": " : null, problem.message),
      problem.hint ? make("span", { class: "hint" }, problem.hint) : null,
      make("code", {}, [problem.code, problem.pointer].filter(Boolean).join("  ")),
    );
  }
}
