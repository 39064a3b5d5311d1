// Opens a page in headless Chromium; fails unless the window is drawn and its first view is computed.
// usage: node --experimental-websocket look.mjs URL OUT.png      (look.sh serves the page)
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [url, out] = process.argv.slice(2);
const sleep = (ms) => new Promise((ready) => setTimeout(ready, ms));
const profile = mkdtempSync(join(tmpdir(), "modelens-page-"));
// Port 0: Chromium chooses one and writes it to the profile. Without a GPU, WebGL is drawn by software.
const chromium = spawn("chromium", [
  "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
  "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--window-size=1280,800", "about:blank",
]);

const faults = [];
let socket, sent = 0;
const answers = new Map();
function call(method, params = {}) {
  return new Promise((answer) => {
    answers.set(++sent, answer);
    socket.send(JSON.stringify({ id: sent, method, params }));
  });
}
async function value(expression) {
  const { result } = await call("Runtime.evaluate", { expression, awaitPromise: true });
  return result?.value;
}

async function connect() {
  const address = await new Promise((found, failed) => {
    let said = "";
    chromium.stderr.on("data", (text) => {
      said += text;
      const line = said.match(/DevTools listening on ws:\/\/([^/]+)/);
      if (line) found(line[1]);
    });
    setTimeout(() => failed(new Error(`Chromium does not start: ${said.slice(0, 400)}`)), 60_000);
  });
  const pages = await (await fetch(`http://${address}/json`)).json();
  socket = new WebSocket(pages.find((page) => page.type === "page").webSocketDebuggerUrl);
  await new Promise((open) => socket.addEventListener("open", open));
  socket.addEventListener("message", ({ data }) => {
    const { id, result, method, params } = JSON.parse(data);
    if (id) answers.get(id)(result);
    if (method === "Runtime.exceptionThrown") faults.push(params.exceptionDetails.exception?.description);
    if (method === "Runtime.consoleAPICalled" && params.type === "error") faults.push(params.args.map((a) => a.value).join(" "));
  });
  await call("Runtime.enable");
  await call("Page.enable");
}

/** Whether a browser could be had at all. */
let started = false;

async function look() {
  await connect();
  started = true;
  await call("Page.navigate", { url });
  const begin = Date.now();
  for (;;) {
    await sleep(250);
    const said = await value("globalThis.modelens?.computed ?? document.querySelector('#start.failed')?.textContent ?? ''");
    if (typeof said === "string" && said) throw new Error(said);
    if (faults.length) throw new Error(faults.join("\n"));
    if (typeof said === "number") break;
    if (Date.now() - begin > 120_000) throw new Error("nothing was computed in two minutes");
  }
  const [drawn, computed] = await value("JSON.stringify([modelens.drawn, modelens.computed])").then(JSON.parse);
  await sleep(1000);
  const { data } = await call("Page.captureScreenshot");
  writeFileSync(out, Buffer.from(data, "base64"));
  console.log(`the window was drawn after ${(drawn / 1000).toFixed(1)} s, its first view computed after ${(computed / 1000).toFixed(1)} s`);
}

let failed = false;
await look().catch((error) => {
  failed = true;
  console.error(`the page: ${error.message}`);
});
chromium.kill();
if (chromium.exitCode === null && chromium.signalCode === null) await new Promise((ended) => chromium.once("exit", ended));
rmSync(profile, { recursive: true, force: true });
process.exit(failed ? (started ? 1 : 3) : 0);
