// Questions that have to be answered before anything goes on.

import { make } from "./dom";

/** Ask for the token of the manager; return it. */
export function askToken(again: boolean): Promise<string> {
  const field = make("input", {
    id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true,
  });
  const form = make(
    "form", { method: "dialog" },
    make("h2", {}, "This manager wants a token"),
    again && make("p", { class: "wrong", role: "alert" }, "That was not the right one."),
    make("p", { class: "hint" },
      "It stands in the cluster file. It is kept until this tab is closed, and sent to this manager only."),
    make("label", { for: "token" }, "Token"),
    field,
    make("div", { class: "row end" }, make("button", { class: "main" }, "Go on")),
  );
  const dialog = make("dialog", { class: "question", "aria-label": "Token" }, form);
  document.body.append(dialog);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(field.value.trim());
    });
  });
}

/** Ask whether something is meant; return whether it is. Enter is yes, Escape is no. */
export function confirm(question: string, explanation: string, yes: string): Promise<boolean> {
  const keep = make("button", { value: "no", type: "submit" }, "Keep it");
  const go = make("button", { value: "yes", type: "submit", class: "danger", autofocus: true }, yes);
  const dialog = make(
    "dialog", { class: "question", "aria-labelledby": "question" },
    make(
      "form", { method: "dialog" },
      make("h2", { id: "question" }, question),
      make("p", { class: "hint" }, explanation),
      make("div", { class: "row end" }, keep, go),
    ),
  );
  document.body.append(dialog);
  const before = document.activeElement;
  dialog.showModal();
  go.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(dialog.returnValue === "yes");
    });
  });
}
