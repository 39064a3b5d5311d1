// The worker: runs the program's jobs, one task between two messages.
import init, { Side } from "./modelens_web.js";
import { fetched } from "./fetched.js";

const progress = (...part) => postMessage({ progress: part });
globalThis.modelensEmit = (bytes) => postMessage(bytes, [bytes.buffer]);

// What the first view needs is on its way before the program is compiled.
const photos = fetched("photos.tar", progress);
// It fails where it is waited for.
photos.catch(() => {});
const files = new Map();
function file(name) {
  if (!files.has(name)) files.set(name, fetched(name, progress));
  return files.get(name);
}
file("lab_mobilenetv2.keras").catch(() => {});

let side;
const waiting = [];

// A message sent to oneself comes after those of the page that have already arrived.
const turn = new MessageChannel();
let turning = false;
turn.port1.onmessage = () => {
  turning = side.step();
  if (turning) turn.port2.postMessage(0);
};
function go() {
  if (turning) return;
  turning = true;
  turn.port2.postMessage(0);
}

/** Counts the requests to open a model: one that waits for its file gives way to a newer one. */
let opening = 0;
async function take(bytes) {
  const own = side.opens_model(bytes) ? ++opening : 0;
  const name = side.needs(bytes);
  if (name) {
    try {
      side.fetched(name, await file(name));
    } catch {
      // The request fails with a sentence of its own, and the next one tries again.
    }
    files.delete(name);
    if (own !== opening) return;
  }
  side.receive(bytes);
  go();
}

async function begin(module) {
  await init({ module_or_path: module });
  side = new Side(await photos);
  waiting.splice(0).forEach(take);
}

// An error in what a promise waits for is none of the worker's own to the page.
addEventListener("unhandledrejection", (event) => {
  throw event.reason;
});

onmessage = ({ data }) => {
  if (data.module) {
    begin(data.module).catch((error) => postMessage({ failed: `The page could not be started: ${error.message}` }));
  } else if (side) {
    take(data);
  } else {
    waiting.push(data);
  }
};
