// Tabs as they are expected to be: arrows go from one to the next, one of them is in the tab order.

/** Let the buttons in `list` show the panels they control; return what shows one of them. */
export function tabs(list: HTMLElement, shown: (panel: string) => void): (panel: string) => void {
  const all = [...list.querySelectorAll<HTMLButtonElement>('[role="tab"]')];
  const panelOf = (tab: HTMLElement): string => tab.getAttribute("aria-controls") ?? "";
  const show = (panel: string): void => {
    for (const tab of all) {
      const own = panelOf(tab) === panel;
      tab.setAttribute("aria-selected", String(own));
      tab.tabIndex = own ? 0 : -1;
      const element = document.getElementById(panelOf(tab));
      if (element) element.hidden = !own;
    }
    shown(panel);
  };
  for (const tab of all) tab.addEventListener("click", () => show(panelOf(tab)));
  list.addEventListener("keydown", (event) => {
    const here = all.findIndex((tab) => tab === document.activeElement);
    const steps: Record<string, number> = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 };
    const next = steps[event.key];
    if (here < 0 || next === undefined) return;
    event.preventDefault();
    const tab = all[(next + all.length) % all.length];
    tab?.focus();
    if (tab) show(panelOf(tab));
  });
  return show;
}
