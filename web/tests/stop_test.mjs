// What has begun is stopped in the middle of a pass, and the worker keeps what it holds. The requests: replay.rs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, serve } from "./browser.mjs";
import { built } from "./program.mjs";

const root = new URL("../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "modelens-stop-"));
execFileSync(built("--example", "replay"), ["stop", folder]);

/** On the page: looks; looks and stops; looks twice; and looks as at first. Returns what took how long. */
async function stop() {
  const { Interrupts } = await import("/interrupts.js");
  // Bits of modelens_jobs::Interrupts.
  const [LOOK, CANCEL, BACKGROUND, AHEAD] = [1, 2, 4, 16];
  const [wasm, asked, stopped] = await Promise.all(["/modelens_web_bg.wasm", "/requests.bin", "/stopped.bin"].map(async (path) => (await fetch(path)).arrayBuffer()));
  const worker = new Worker("/worker.js", { type: "module" });
  const interrupts = new Interrupts(worker);
  const answers = [];
  let arrived = () => {};
  worker.onmessage = ({ data }) => {
    // Events but those of progress.
    if (!(data instanceof Uint8Array) || data[0] !== 0 || data[1] === 0) return;
    answers.push(data.slice(1));
    arrived();
  };
  const failed = new Promise((_, fail) => { worker.onerror = (error) => fail(new Error(error.message)); });
  const answer = async () => {
    while (!answers.length) await Promise.race([new Promise((ready) => { arrived = ready; }), failed]);
    return answers.shift();
  };
  worker.postMessage({ module: await WebAssembly.compile(wasm) });
  const view = new DataView(asked);
  const messages = [];
  for (let at = 0; at < asked.byteLength; ) {
    const length = view.getUint32(at + 4, true);
    messages.push(Uint8Array.of(0, ...new Uint8Array(asked, at + 8, length)));
    at += 8 + length;
  }
  const [model, photos, ...looks] = messages;
  // A first part of a look may come before the whole.
  const events = view.getUint32(asked.byteLength - (looks.at(-1).length - 1) - 8, true);
  worker.postMessage(model);
  await answer();
  worker.postMessage(photos);
  await answer();
  const sleep = (ms) => new Promise((ready) => setTimeout(ready, ms));
  const ask = (number) => {
    interrupts.send(LOOK | BACKGROUND | AHEAD);
    worker.postMessage(looks[number].slice());
  };
  const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
  const cancelled = (event) => same(event, new Uint8Array(stopped));
  /** Waits for the end of a look: how long that takes, and its last event. */
  const ended = async () => {
    const begin = performance.now();
    for (let count = 1; ; count++) {
      const event = await answer();
      if (count === events || cancelled(event)) return [performance.now() - begin, event];
    }
  };

  ask(0);
  const [whole, first] = await ended();
  ask(1);
  await sleep(whole / 4);
  interrupts.send(CANCEL | BACKGROUND | AHEAD);
  // The message that stops: ToWorker::Cancel.
  worker.postMessage(Uint8Array.of(1));
  const [stopping, event] = await ended();
  ask(2);
  await sleep(whole / 4);
  answers.length = 0;
  ask(3);
  const [newer] = await ended();
  await sleep(300);
  const left = answers.length;
  ask(0);
  const [, again] = await ended();
  // Without the seconds that it took, 8 bytes before the batch: its length and 32 photos.
  const numbers = (event) => [...event.slice(0, -41), ...event.slice(-33)];
  return {
    whole, stopping, newer,
    stopped: cancelled(event),
    again: same(numbers(first), numbers(again)),
    left,
  };
}

const site = await serve({ "/": join(root, "web/dist/") }, (request, response) => {
  if (request.url === "/empty") response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  else if (/^\/(requests|stopped).bin$/.test(request.url)) response.writeHead(200).end(readFileSync(join(folder, request.url)));
  else return false;
  return true;
});

await run({
  async "a pass that has begun is stopped, and the worker goes on with what it holds"(browser) {
    const page = await browser.open(`${site.url}empty`);
    await page.until("document.readyState === 'complete'");
    const found = await page.value(`(${stop})()`);
    const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
    console.log(`a look takes ${seconds(found.whole)}; stopped after a quarter, it ends ${seconds(found.stopping)} later; replaced then, the newer one takes ${seconds(found.newer)}`);
    assert.ok(found.stopped, "it says that it was stopped");
    assert.ok(found.stopping < found.whole / 3, "it does not run to its end");
    assert.ok(found.newer < 1.5 * found.whole, "a newer look does not wait for the older one");
    assert.ok(found.again, "the numbers are those of before");
    assert.equal(found.left, 0, "the older look has no answer");
    await page.close();
  },
}, { ends: () => { site.close(); rmSync(folder, { recursive: true }); } });
