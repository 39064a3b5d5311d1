// The page: loads the program, starts its worker, and hands both to the window.
import { build, program } from "./program.js";
import { fetched } from "./fetched.js";
import { Interrupts } from "./interrupts.js";
import { asked, connect, settings } from "./outside.js";
import { operate } from "./mirror.js";

const panel = document.getElementById("start");
const bar = document.getElementById("done");

/** Milliseconds from the navigation on to the first frame, to the first numbers in the first view, and to all. */
const times = (globalThis.modelens = {});
globalThis.modelensReached = (what) => (times[what] ??= performance.now());

const fail = globalThis.modelensFail;
globalThis.modelensStopped = () => fail("The window has stopped because of an error in modelens. What you opened is still on your disk.");

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
  if (globalThis.modelensMissing) return;
  // With another model, the usual one need not be fetched.
  const other = new URLSearchParams(location.search).has("model");
  const worker = new Worker(other ? "./worker.js?model" : "./worker.js", { type: "module" });
  worker.addEventListener("message", ({ data }) => {
    if (data.progress) progress(...data.progress);
    if (data.failed) fail(data.failed);
  });
  worker.addEventListener("error", ({ message }) => {
    if (message === undefined) fail("A part of the page could not be fetched: worker.js. Check the connection and load the page again.");
    else fail("The computing part of the page has stopped because of an error in modelens, or for lack of memory.");
  });
  const interrupts = new Interrupts(worker);
  globalThis.modelensInterrupt = (bits) => interrupts.send(bits);
  const asking = asked(worker);
  // Compiled once, for the window and the worker.
  const mine = build();
  const loading = program(mine);
  // It fails where it is waited for.
  loading.catch(() => {});
  const name = `${mine}_bg.wasm`;
  const bytes = await fetched(name, (...part) => progress(name, ...part));
  const module = await WebAssembly.compile(bytes).catch((error) => {
    throw new Error(`what arrived as ${name} is not the program (${error.message}). Is the network behind a login page?`);
  });
  worker.postMessage({ module, build: mine });
  const rust = await loading;
  await rust.default({ module_or_path: module });
  const { found, text, failures } = await asking;
  if (found.lesson) rust.give_text(found.lesson, text);
  const kept = settings();
  if (kept) rust.give_text("/settings/settings.json", kept);
  connect(rust, worker, found);
  operate(rust);
  const canvas = document.getElementById("window");
  canvas.addEventListener("webglcontextlost", () => {
    fail("The browser took the graphics away from the page, as it does when the graphics driver restarts or memory is short.");
  });
  await rust.start(canvas, worker, JSON.stringify({ ...found, keeps: kept !== null }));
  for (const [what, why] of failures) rust.failed(what, why);
  panel.hidden = true;
  times.drawn = performance.now();
}

run().catch((error) => fail(`The page could not be started: ${error.message ?? error}`));
