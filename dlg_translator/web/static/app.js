// The page: a graph is opened, unrolled, divided and handed on. Each step waits for the one before.

import { Refusal, download, get, getText, post } from "./api.js";
import { Algorithms } from "./algorithms.js";
import { paint } from "./colours.js";
import { Compare, showLegend } from "./compare.js";
import { Deliver } from "./deliver.js";
import { byId, count, facts, make, number } from "./dom.js";
import { Drawing } from "./drawing.js";
import { timeline } from "./gantt.js";
import { Parameters } from "./parameters.js";
import { Problems } from "./problems.js";

const TABS = ["logical", "template", "gantt"];
const state = { graph: null, template: null, tab: "logical", drawings: {}, config: "", unrolled: "{}" };

const drawing = new Drawing(byId("canvas"), chosen);
const problems = new Problems(pointAt);
const parameters = new Parameters(byId("parameters"), changeConfig, (changes) => {
  byId("reset").hidden = !changes;
  byId("reset").textContent = `Undo ${count(changes, "change")}`;
  byId("stale").hidden = !state.template || JSON.stringify(parameters.values()) === state.unrolled;
});
const algorithms = new Algorithms(byId("algorithms"));
const compare = new Compare(showDivision, (result) => compare.remove(result));
const deliver = new Deliver(work);

// -- doing things --------------------------------------------------------------------------------

let running = 0;

/** Do one step: say so, keep buttons shut meanwhile, and show what goes wrong. */
async function work(what, step, done = "") {
  running += 1;
  document.body.classList.add("busy");
  byId("status").textContent = `${what} …`;
  try {
    await step();
    byId("status").textContent = done;
    return true;
  } catch (error) {
    byId("status").textContent = "";
    if (!(error instanceof Refusal)) throw error;
    problems.show(error.problems, error.message);
    byId("problems").scrollIntoView({ block: "nearest" });
    return false;
  } finally {
    running -= 1;
    document.body.classList.toggle("busy", running > 0);
  }
}

// -- the graph -----------------------------------------------------------------------------------

async function readFile(file) {
  if (!file.name.endsWith(".gz")) return file.text();
  const stream = file.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function openFile(file) {
  return work(`Reading ${file.name}`, async () => {
    const content = await readFile(file);
    if (content.trimStart().startsWith("[")) {
      await takeTemplate(await post("api/templates", { pgt_content: content, name: file.name }));
    } else {
      await takeGraph(await post("api/graphs", { lg_content: content, name: file.name }));
    }
  });
}

function openListed(kind, name) {
  return work(`Opening ${name}`, async () => {
    if (kind === "pgt") await takeTemplate(await post("api/templates", { pgt_name: name }));
    else await takeGraph(await post("api/graphs", { lg_name: name }));
  });
}

async function takeGraph(graph) {
  forget();
  state.graph = graph;
  state.config = graph.active_config;
  tellGraph(graph);
  state.drawings.logical = await getText(`api/graphs/${graph.id}/drawing`);
  show("logical");
}

function tellGraph(graph) {
  byId("summary").textContent = graph.name;
  document.title = `${graph.name} – dlg translator`;
  facts(byId("graph-facts"), [
    ["Nodes", number(graph.nodes)], ["Constructs", number(graph.constructs)], ["Links", number(graph.links)],
  ]);
  open("unroll");
  parameters.show(graph, state.config);
  problems.show(graph.problems);
}

function changeConfig(config) {
  state.config = config;
  return work("Applying the configuration", async () => {
    const query = new URLSearchParams({ config });
    tellGraph(await get(`api/graphs/${state.graph.id}?${query}`));
  });
}

function forget() {
  Object.assign(state, { graph: null, template: null, drawings: {} });
  forgetTemplate();
  byId("graph-facts").hidden = true;
  shut("unroll");
  for (const name of TABS) byId(`tab-${name}`).disabled = true;
}

function forgetTemplate() {
  state.template = null;
  byId("template-facts").hidden = byId("stale").hidden = true;
  compare.clear();
  deliver.show(null);
  shut("partition");
}

const waiting = (id) => byId(id).parentElement.querySelector(".wait");

function open(id) {
  byId(id).hidden = false;
  waiting(id).hidden = true;
}

function shut(id) {
  byId(id).hidden = true;
  waiting(id).hidden = false;
}

// -- the template --------------------------------------------------------------------------------

function unroll(event) {
  event.preventDefault();
  return work("Unrolling", async () => {
    const values = { parameters: parameters.values(), config: state.config };
    const template = await post(`api/graphs/${state.graph.id}/templates`, values);
    forgetTemplate();
    state.unrolled = JSON.stringify(values.parameters);
    await takeTemplate(template);
  });
}

async function takeTemplate(template) {
  if (template.graph !== (state.graph?.id ?? null)) forget();
  state.template = template;
  const rows = [
    ["Drops", number(template.drops)], ["Apps", number(template.apps)], ["Data", number(template.data)],
    ["Links", number(template.links)],
  ];
  facts(byId("template-facts"), rows);
  byId("template-facts").append(make("div", {}, make("dt", {}, "File"), make("dd", {},
    make("a", { href: `api/templates/${template.id}/file`, download: "" }, "Download"))));
  if (!state.graph) byId("summary").textContent = template.name;
  problems.show(template.problems);
  open("partition");
  state.drawings.template = await getText(`api/templates/${template.id}/drawing`);
  if (template.partition) compare.add(template.partition);
  show("template");
}

// -- divisions -----------------------------------------------------------------------------------

async function partition(event) {
  event.preventDefault();
  const chosenOnes = algorithms.chosen();
  if (!chosenOnes.length) {
    problems.show([], "Tick at least one algorithm.");
    return;
  }
  const parts = byId("parts").valueAsNumber, islands = byId("islands").valueAsNumber || 1;
  const told = [];
  for (const { algorithm, options } of chosenOnes) {
    const values = { algorithm, options, islands, ...(parts ? { parts } : {}) };
    const done = await work(`Partitioning by ${algorithm}`, async () => {
      const result = await post(`api/templates/${state.template.id}/partitions`, values);
      const by = result.objectives.algo;
      told.push(...result.problems.map((problem) => ({ ...problem, message: `${by}: ${problem.message}` })));
      compare.add(result);
    });
    if (!done) return;
  }
  problems.show(told);
}

function showDivision(result) {
  delete state.drawings.gantt;
  deliver.show(result);
  showLegend(result, (part) => drawing.showPart(part));
  if (result) byId("tab-gantt").disabled = result.objectives.exec_time === null;
  else byId("tab-gantt").disabled = true;
  show(state.tab === "gantt" && result ? "gantt" : "template");
}

// -- what is shown -------------------------------------------------------------------------------

async function show(tab) {
  if (tab === "gantt" && !state.drawings.gantt) {
    const ready = await work("Drawing the timeline", async () => {
      state.drawings.gantt = await get(`api/partitions/${compare.shown.id}/gantt`);
    });
    if (!ready) return;
  }
  const content = state.drawings[tab];
  if (!content) return;
  state.tab = tab;
  for (const name of TABS) {
    const button = byId(`tab-${name}`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    button.disabled = name === "gantt" ? !compare.shown : !state.drawings[name];
  }
  byId("canvas").setAttribute("aria-labelledby", `tab-${tab}`);
  byId("legend").hidden = tab === "logical" || !compare.shown;
  drawing.show(tab === "gantt" ? timeline(content) : content);
  if (tab === "template" && compare.shown) paint(drawing.svg, compare.shown.boxes);
}

function chosen(id, panel) {
  if (id === null || state.tab !== "logical") return;
  const node = id.split("/")[0];
  if (!state.graph?.parameters.some((parameter) => parameter.owner_id === node)) return;
  const set = () => parameters.showNode(node);
  panel.append(make("button", { type: "button", onclick: set }, "Set its parameters"));
}

async function pointAt(problem) {
  if (state.drawings.logical && state.tab !== "logical") await show("logical");
  if (drawing.point(problem.id)) return;
  byId("status").textContent = `${problem.name || problem.id} is not in the drawing`;
}

// -- what people do ------------------------------------------------------------------------------

function listen() {
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) openFile(file);
  });
  byId("pick").addEventListener("submit", (event) => {
    event.preventDefault();
    const option = byId("listed").selectedOptions[0];
    if (option) openListed(option.dataset.kind, option.value);
  });
  byId("unroll").addEventListener("submit", unroll);
  byId("reset").addEventListener("click", () => parameters.show(state.graph, state.config));
  byId("partition").addEventListener("submit", partition);
  for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => show(tab));
  byId("tabs").addEventListener("keydown", moveTab);
  byId("zoom-in").addEventListener("click", () => drawing.svg && drawing.zoom(1.25));
  byId("zoom-out").addEventListener("click", () => drawing.svg && drawing.zoom(0.8));
  byId("fit").addEventListener("click", () => drawing.svg && drawing.fit());
  byId("picture").addEventListener("click", () => {
    if (drawing.svg) download(drawing.file(), `${state.tab}.svg`);
  });
  byId("search").addEventListener("input", (event) => drawing.look(event.target.value));
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") drawing.toNext();
  });
  for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, drag);
}

function moveTab(event) {
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!way) return;
  const open = TABS.map((tab) => byId(`tab-${tab}`)).filter((button) => !button.disabled);
  const next = open[(open.indexOf(document.activeElement) + way + open.length) % open.length];
  next?.focus();
  next?.click();
}

function drag(event) {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.toggle("dropping", event.type === "dragover");
  const [file] = event.dataTransfer.files;
  if (event.type === "drop" && file) openFile(file);
}

// -- the beginning -------------------------------------------------------------------------------

async function begin() {
  const start = JSON.parse(document.body.dataset.start);
  listen();
  await work("Loading", async () => {
    const [library, table] = await Promise.all([get("api/library"), get("api/algorithms")]);
    fillLibrary(library);
    deliver.setUp(library);
    algorithms.show(table, start.algorithm);
  });
  if (start.parts > 0) byId("parts").value = start.parts;
  if (start.open) await openListed("lg", start.open);
  else if (start.view) await openListed("pgt", start.view);
  else await resume(start);
  if (start.error) problems.show(start.problems, start.error);
  document.body.classList.add("ready");
}

function fillLibrary({ graphs, templates }) {
  const option = (kind, name) => make("option", { value: name, "data-kind": kind }, name);
  const group = (label, kind, names) => (names.length
    ? [make("optgroup", { label }, ...names.map((name) => option(kind, name)))]
    : []);
  byId("listed").replaceChildren(
    ...group("Logical graphs", "lg", graphs), ...group("Templates", "pgt", templates),
  );
  byId("pick").hidden = !graphs.length && !templates.length;
}

/** Open what a form has made before this page was sent. */
async function resume(start) {
  if (!start.graph && !start.template && !start.partition) return;
  await work("Opening", async () => {
    const division = start.partition ? await get(`api/partitions/${start.partition}`) : null;
    const key = division?.template ?? start.template;
    const template = key ? await get(`api/templates/${key}`) : null;
    const graph = start.graph ?? template?.graph;
    if (graph) await takeGraph(await get(`api/graphs/${graph}`));
    if (template) await takeTemplate(template);
    if (division) compare.add(division);
    if (start.tab) await show(start.tab);
  });
}

begin();
