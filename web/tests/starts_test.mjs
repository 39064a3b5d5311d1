// Starts that fail: each shows a sentence, never a blank page.
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, serve, sleep } from "./browser.mjs";

/** How the server treats a file of the page: by its name, a function of request and response. */
let treat = {};
const dist = new URL("../dist/", import.meta.url).pathname;
const site = await serve({ "/": dist }, (request, response) => {
  const how = treat[new URL(request.url, "http://host").pathname.slice(1)];
  how?.(request, response);
  return Boolean(how);
});
const missing = (_, response) => response.writeHead(404).end("not found");
const cut = (name) => (_, response) => {
  const bytes = readFileSync(join(dist, name));
  response.writeHead(200, { "content-type": "application/wasm", "content-length": bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
};

function assert(holds, what) {
  if (!holds) throw new Error(what);
}

/** Opens the page, after `script` has changed the browser, and waits for a sentence that `says`. */
async function fails(browser, says, { script, files = {}, again = true, prepare } = {}) {
  treat = files;
  const page = await browser.open("about:blank");
  if (script) await page.call("Page.addScriptToEvaluateOnNewDocument", { source: script });
  await prepare?.(page);
  await page.go(site.url);
  const said = await page.until("document.querySelector('#start.failed #said')?.innerText", `a sentence that says ${says}`);
  assert(says.test(said), said);
  const button = await page.value("document.getElementById('again').checkVisibility()");
  assert(button === again, `the button that loads again is ${button ? "there" : "not there"}`);
  const seen = await page.named("alert", /.*/);
  assert(seen, "a reader is told");
  console.log(`        ${said}`);
  await page.close();
  treat = {};
}

/** A page that runs. */
async function started(browser, prepare) {
  treat = {};
  const page = await browser.open("about:blank");
  await prepare?.(page);
  await page.go(site.url);
  await page.computed();
  return page;
}

/** A picture of the top of the window. */
async function top(page) {
  const clip = { x: 0, y: 0, width: 1280, height: 140, scale: 1 };
  return (await page.call("Page.captureScreenshot", { format: "png", clip })).data;
}

async function says(page, words) {
  const said = await page.until("document.querySelector('#start.failed #said')?.innerText", `a sentence that says ${words}`);
  assert(words.test(said), said);
  console.log(`        ${said}`);
}

await run({
  "no WebGL 2": (browser) =>
    fails(browser, /no WebGL 2.*graphics acceleration/, {
      script: "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === 'webgl2' ? null : get.call(this, kind, ...rest); }",
      again: false,
    }),
  "no WebAssembly": (browser) => fails(browser, /too old.*WebAssembly/, { script: "delete globalThis.WebAssembly", again: false }),
  "no vectors": (browser) => fails(browser, /128-bit vectors/, { script: "WebAssembly.validate = () => false", again: false }),
  "no module workers": (browser) =>
    fails(browser, /module workers/, { script: "globalThis.Worker = function () {}", again: false }),
  "no modules": (browser) =>
    fails(browser, /JavaScript modules/, { script: "delete HTMLScriptElement.prototype.noModule", again: false }),
  "words that the browser does not know": (browser) =>
    fails(browser, /could not be started/, {
      files: { "page.js": (_, response) => response.writeHead(200, { "content-type": "text/javascript" }).end("let = ;") },
    }),
  "a script is missing": (browser) => fails(browser, /could not be fetched: page\.js/, { files: { "page.js": missing } }),
  "a script of a script is missing": (browser) => fails(browser, /could not be fetched/, { files: { "mirror.js": missing } }),
  "the program is missing": (browser) => fails(browser, /modelens_web_relaxed_bg\.wasm.*404/, { files: { "modelens_web_relaxed_bg.wasm": missing } }),
  "the program is cut off": (browser) =>
    fails(browser, /modelens_web_relaxed_bg\.wasm could not be fetched/, { files: { "modelens_web_relaxed_bg.wasm": cut("modelens_web_relaxed_bg.wasm") } }),
  "the program is another file": (browser) =>
    fails(browser, /not the program/, { files: { "modelens_web_relaxed_bg.wasm": (_, response) => response.end("<html>a login page</html>") } }),
  "the program's script is missing": (browser) =>
    fails(browser, /modelens_web_relaxed\.js could not be fetched/, { files: { "modelens_web_relaxed.js": missing } }),
  "the photos are missing": (browser) => fails(browser, /photos\.tar.*404/, { files: { "photos.tar": missing } }),
  "the worker is missing": (browser) => fails(browser, /could not be fetched: worker\.js/, { files: { "worker.js": missing } }),

  async "a browser without relaxed SIMD"(browser) {
    const page = await started(browser, (page) =>
      page.call("Page.addScriptToEvaluateOnNewDocument", {
        // Refuses what has a relaxed multiply-add, as a browser that does not know it.
        source: "const valid = WebAssembly.validate; WebAssembly.validate = (bytes) => !String(bytes).includes('253,133,2') && valid(bytes)",
      }));
    const fetched = await page.value("performance.getEntriesByType('resource').map(({ name }) => name.split('/').pop()).join(' ')");
    assert(/modelens_web_bg\.wasm/.test(fetched) && !/relaxed/.test(fetched), fetched);
    const plain = await top(page);
    await page.close();
    // Relaxed instructions in the library that draws letters spoil some of them.
    const relaxed = await started(browser);
    assert((await top(relaxed)) === plain, "both builds draw the same letters");
    await relaxed.close();
  },

  async "offline after the page"(browser) {
    const page = await browser.open("about:blank");
    await page.call("Network.enable");
    treat = { "modelens_web_relaxed_bg.wasm": (_, response) => response.destroy(), "photos.tar": (_, response) => response.destroy() };
    await page.go(site.url);
    await says(page, /could not be fetched/);
    await page.close();
    treat = {};
  },

  async "no JavaScript"(browser) {
    const page = await browser.open("about:blank");
    treat = {};
    await page.call("Emulation.setScriptExecutionDisabled", { value: true });
    await page.go(site.url);
    await sleep(500);
    const nodes = await page.accessibility();
    const said = nodes.filter(({ role }) => role === "StaticText").map(({ name }) => name).join(" ");
    assert(/needs JavaScript/.test(said) && !/being loaded/.test(said), said);
    await page.close();
  },

  async "the network is missing"(browser) {
    treat = { "lab_mobilenetv2.keras": missing };
    const page = await browser.open(site.url);
    // The window is there, and says it in its own words.
    await page.named("StaticText", /could not be fetched/);
    assert(await page.value("document.getElementById('start').hidden"), "the window is shown");
    await page.close();
    treat = {};
  },

  async "storage is denied"(browser) {
    const page = await started(browser, (page) =>
      page.call("Page.addScriptToEvaluateOnNewDocument", {
        source: "Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })",
      }));
    await page.until("/keeps nothing/.test(document.getElementById('assertive').textContent)", "a sentence");
    await page.close();
  },

  async "the graphics are taken away"(browser) {
    const page = await started(browser);
    await page.value("document.getElementById('window').getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()");
    await says(page, /took the graphics away/);
    await page.close();
  },

  async "the worker stops"(browser) {
    const script = `const Old = Worker; globalThis.Worker = class extends Old { constructor(...all) { super(...all); globalThis.theWorker = this; } }`;
    const page = await started(browser, (page) => page.call("Page.addScriptToEvaluateOnNewDocument", { source: script }));
    // No message of the page.
    await page.value("theWorker.postMessage(null)");
    await says(page, /computing part of the page has stopped/);
    await page.close();
  },

  async "the window stops"(browser) {
    const page = await started(browser);
    await page.value("modelensStopped()");
    await says(page, /window has stopped/);
    await page.close();
  },

  async "a dropped file is too large"(browser) {
    const file = join(tmpdir(), "modelens-large.keras");
    writeFileSync(file, "");
    truncateSync(file, 1_200_000_000);
    const page = await started(browser);
    await page.drop([file]);
    await page.named("StaticText", /1200 MB.*1074 MB/);
    await page.close();
    rmSync(file);
  },
}, { ends: site.close });
