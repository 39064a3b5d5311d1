// The worker: runs the program's jobs, one task between two messages.
import { program } from "./program.js";
import { fetched } from "./fetched.js";
import { Heard } from "./interrupts.js";

globalThis.modelensEmit = (bytes) => postMessage(bytes, [bytes.buffer]);

const heard = new Heard();
globalThis.modelensInterrupted = () => heard.bits();

/** The most bytes of one file: a page has 4 GB for everything. */
const MOST = 1 << 30;

// What the first view needs is on its way before the program is compiled.
const early = (name) => fetched(name, (done, total) => postMessage({ progress: [name, done, total] }));
const photos = early("photos.tar");
// It fails where it is waited for.
photos.catch(() => {});
const LAB = "lab_mobilenetv2.keras";
let lab = self.location.search.includes("model") ? null : early(LAB);
lab?.catch(() => {});

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

/** Where the files come from that a person, an address or another page named: by path, a Blob or an address. */
const sources = new Map();

/** The paths of the files that opening `path` reads. */
function wanted(kind, path) {
  const known = [...sources.keys()];
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const beside = (name) => name.startsWith(folder);
  const photo = (name) => /\.(jpe?g|png|webp|gif|bmp|zip|tar|t?gz|np[yz]|[ct]sv)$/i.test(name);
  if (kind === "model" || kind === "original") return [path, ...known.filter((name) => name !== path && beside(name) && !photo(name))];
  const below = known.filter((name) => name === path || name.startsWith(`${path}/`));
  // A table names the photos beside it.
  if (/\.[ct]sv$/i.test(path)) return known.filter(beside);
  return below.length ? below : [path];
}

/** The content of a file, from wherever it comes. */
async function content(path, progress, signal) {
  const name = path.match(/^\/bundled\/(.*)/)?.[1];
  if (name === LAB && lab) {
    const bytes = lab;
    lab = null;
    return bytes;
  }
  const source = name ?? sources.get(path) ?? path;
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (!name && !/^https?:/.test(source)) throw new Error(`the page has no such file any more; open it again: ${path}`);
  const bytes = await fetched(source, progress, { most: MOST, signal });
  // The browser keeps it where there is room, also on disk.
  if (!name) sources.set(path, new Blob([bytes]));
  return bytes;
}

/** What is being read for the last request of each kind. */
const reading = new Map();

/** Reads the files that a request needs; false if the request has failed or is no longer wanted. */
async function read(kind, path, bytes) {
  // A newer opening replaces one that still reads; what saving needs is read in any case.
  if (kind === "model" || kind === "photos") reading.get(kind)?.abort();
  const control = new AbortController();
  const { signal } = control;
  reading.set(kind, control);
  const parts = new Map();
  try {
    const paths = wanted(kind, path).filter((path) => side.lacks(path));
    const contents = await Promise.all(paths.map((path) => content(path, (...part) => {
      parts.set(path, part);
      const sum = (at) => [...parts.values()].reduce((all, part) => all + part[at], 0);
      if (!signal.aborted) side.progress(bytes, sum(0), sum(1));
    }, signal)));
    if (!signal.aborted) paths.forEach((path, i) => side.give(kind, path, contents[i]));
  } catch (error) {
    if (!signal.aborted) side.fail(bytes, error.message);
    return false;
  }
  return !signal.aborted;
}

async function take(bytes) {
  if (side.cancels(bytes)) for (const control of reading.values()) control.abort();
  const needs = side.needs(bytes);
  for (let i = 0; i < needs.length; i += 2) {
    if (!(await read(needs[i], needs[i + 1], bytes))) return;
  }
  side.receive(bytes);
  go();
}

async function begin({ module, build }) {
  const rust = await program(build);
  await rust.default({ module_or_path: module });
  side = new rust.Side(await photos);
  waiting.splice(0).forEach(take);
}

// An error in what a promise waits for is none of the worker's own to the page.
addEventListener("unhandledrejection", (event) => {
  throw event.reason;
});

onmessage = ({ data }) => {
  if (data.module) {
    begin(data).catch((error) => postMessage({ failed: `The page could not be started: ${error.message}` }));
  } else if (data.signals) {
    heard.listen(data.signals);
  } else if (data.files) {
    for (const [path, source] of data.files) sources.set(path, source);
  } else if (side) {
    take(data);
  } else {
    waiting.push(data);
  }
};
