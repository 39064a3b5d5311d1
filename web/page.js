// The page: loads the program, starts its worker, and hands both to the window.
import init, { start } from "./modelens_web.js";
import { fetched } from "./fetched.js";

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
  const worker = new Worker("./worker.js", { type: "module" });
  worker.addEventListener("message", ({ data }) => {
    if (data.progress) progress(...data.progress);
    if (data.failed) fail(data.failed);
  });
  worker.addEventListener("error", () => {
    fail("The computing part of the page has stopped. Load the page again.");
  });
  // Compiled once, for the window and the worker.
  const bytes = await fetched("modelens_web_bg.wasm", progress);
  const module = await WebAssembly.compile(bytes);
  worker.postMessage({ module });
  await init({ module_or_path: module });
  await start(document.getElementById("window"), worker);
  panel.hidden = true;
  times.drawn = performance.now();
}

run().catch((error) => fail(`The page could not be started: ${error.message ?? error}. Load it again.`));
