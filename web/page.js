// The page: loads the program, starts its worker, and hands both to the window.
import * as rust from "./modelens_web.js";
import { fetched } from "./fetched.js";
import { asked, connect, settings } from "./outside.js";

const panel = document.getElementById("start");
const said = document.getElementById("said");
const bar = document.getElementById("done");

/** Milliseconds from the navigation on to the first frame and to the first computed view, for tests. */
const times = (globalThis.modelens = {});
globalThis.modelensComputed = () => (times.computed ??= performance.now());

/** Puts a sentence where the window would be. */
function fail(sentence) {
  panel.hidden = false;
  panel.classList.add("failed");
  said.textContent = sentence;
}

globalThis.modelensDownload = (name, bytes) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

/** What is being fetched: bytes that have arrived and all, by file. */
const parts = new Map();
function progress(name, done, total) {
  parts.set(name, [done, total]);
  const sum = (at) => [...parts.values()].reduce((all, part) => all + part[at], 0);
  bar.max = sum(1);
  bar.value = sum(0);
}

async function run() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    fail("This browser gives the page no WebGL 2, which the window is drawn with. Switch on hardware acceleration in its settings, or try another browser.");
    return;
  }
  // With another model, the usual one need not be fetched.
  const other = new URLSearchParams(location.search).has("model");
  const worker = new Worker(other ? "./worker.js?model" : "./worker.js", { type: "module" });
  worker.addEventListener("message", ({ data }) => {
    if (data.progress) progress(...data.progress);
    if (data.failed) fail(data.failed);
  });
  worker.addEventListener("error", () => {
    fail("The computing part of the page has stopped. Load the page again.");
  });
  const asking = asked(worker);
  // Compiled once, for the window and the worker.
  const name = "modelens_web_bg.wasm";
  const bytes = await fetched(name, (...part) => progress(name, ...part));
  const module = await WebAssembly.compile(bytes);
  worker.postMessage({ module });
  await rust.default({ module_or_path: module });
  const { found, text, failures } = await asking;
  if (found.lesson) rust.give_text(found.lesson, text);
  const kept = settings();
  if (kept) rust.give_text("/settings/settings.json", kept);
  connect(rust, worker, found);
  await rust.start(document.getElementById("window"), worker, JSON.stringify({ ...found, keeps: kept !== null }));
  for (const [what, why] of failures) rust.failed(what, why);
  panel.hidden = true;
  times.drawn = performance.now();
}

run().catch((error) => fail(`The page could not be started: ${error.message ?? error}. Load it again.`));
