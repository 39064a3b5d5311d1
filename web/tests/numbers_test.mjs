// The page's worker computes what the program computes, and what the frameworks computed: golden fixtures in both
// modes, each view with random draws, figures. The requests and the comparison: replay.rs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, serve } from "./browser.mjs";
import { built } from "./program.mjs";

const root = new URL("../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "modelens-numbers-"));
const program = built("--example", "replay");
const replay = (what) => execFileSync(program, [what, folder], { encoding: "utf8" });
console.log(replay("requests").trim());

/** On the page: sends each request to a build when the one before is answered, and posts the answers. */
async function send(build) {
  const [wasm, asked] = await Promise.all([`/${build}_bg.wasm`, "/requests.bin"].map(async (path) => (await fetch(path)).arrayBuffer()));
  const worker = new Worker("/worker.js", { type: "module" });
  const answers = [];
  let left, next, number = 0;
  worker.onmessage = ({ data }) => {
    // Progress of what is being fetched; files that were written; progress of a job.
    if (!(data instanceof Uint8Array) || data[0] !== 0 || data[1] === 0) return;
    const event = data.slice(1);
    answers.push(new Uint8Array(Uint32Array.of(number, event.length).buffer), event);
    if (--left === 0) next();
  };
  const failed = new Promise((_, fail) => { worker.onerror = (error) => fail(new Error(error.message)); });
  worker.postMessage({ module: await WebAssembly.compile(wasm), build });
  const files = await (await fetch("/files.json")).json();
  worker.postMessage({ files: files.map((path) => [path, new URL(path.replace("/case/", "/golden/"), location.href).href]) });
  const view = new DataView(asked);
  for (let at = 0; at < asked.byteLength; number++) {
    const [events, length] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const answered = new Promise((ready) => { next = ready; });
    left = events;
    const message = new Uint8Array(1 + length);
    message.set(new Uint8Array(asked, at + 8, length), 1);
    worker.postMessage(message);
    if (events) await Promise.race([answered, failed]);
    at += 8 + length;
  }
  await fetch("/events.bin", { method: "POST", body: new Blob(answers) });
}

const site = await serve({ "/": join(root, "web/dist/"), "/golden/": join(root, "tests/fixtures/golden/") }, (request, response) => {
  if (request.url === "/empty") response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  else if (/^\/(requests.bin|files.json)$/.test(request.url)) response.writeHead(200).end(readFileSync(join(folder, request.url)));
  else if (request.method === "POST") {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      writeFileSync(join(folder, "events.bin"), Buffer.concat(parts));
      response.writeHead(204).end();
    });
  } else return false;
  return true;
});

const computes = (build) => async (browser) => {
  const page = await browser.open(`${site.url}empty`);
  await page.until("document.readyState === 'complete'");
  await page.value(`(${send})("${build}")`);
  console.log(replay("compare").trim());
  await page.close();
};

await run({
  "the page computes what the program computes": computes("modelens_web"),
  "with relaxed SIMD too": computes("modelens_web_relaxed"),
}, { ends: () => { site.close(); rmSync(folder, { recursive: true }); } });
