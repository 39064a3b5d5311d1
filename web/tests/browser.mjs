// Drives a page in headless Chromium over its debugging protocol: for look.mjs and the tests beside this file.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createReadStream, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

export const sleep = (ms) => new Promise((ready) => setTimeout(ready, ms));

/** Chromium cannot be had: exit status 3, not a fault of the page. */
export class NoBrowser extends Error {}

/** The longest wait for anything a page computes, in milliseconds: software rendering on two busy cores. */
const PATIENCE = 60_000;

const TYPES = {
  ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm",
  ".toml": "text/plain", ".json": "application/json", ".png": "image/png", ".jpg": "image/jpeg",
};

/**
 * Serves folders on a free port: `folders` maps the start of a path to a folder ("/": the page). `answer(request,
 * response)` may answer by itself and returns true then. The server ends with `close()`.
 */
export async function serve(folders, answer = () => false) {
  const starts = Object.keys(folders).sort((a, b) => b.length - a.length);
  const server = createServer((request, response) => {
    if (answer(request, response)) return;
    const path = decodeURIComponent(new URL(request.url, "http://host").pathname);
    const start = starts.find((start) => path.startsWith(start));
    let file = start && join(folders[start], normalize(path.slice(start.length)));
    if (file && path.endsWith("/")) file = join(file, "index.html");
    const found = file && statSync(file, { throwIfNoEntry: false });
    if (!found?.isFile()) {
      response.writeHead(404).end("not found");
      return;
    }
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": found.size });
    createReadStream(file).pipe(response);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Keys whose `key` is not their `code`, or that have another number than their first letter. */
const NUMBERS = {
  Escape: 27, Enter: 13, Tab: 9, Space: 32, Backspace: 8, Delete: 46, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39,
  ArrowDown: 40, PageUp: 33, PageDown: 34, Home: 36, End: 35,
};

/** Chromium, started; `close()` ends it. */
export class Browser {
  #chromium;
  #profile;
  #address;
  #pages = [];

  /** Starts Chromium with a new profile; `flags` are further arguments. */
  static async start(flags = []) {
    const browser = new Browser();
    browser.#profile = mkdtempSync(join(tmpdir(), "modelens-page-"));
    // Port 0: Chromium chooses one and says it. Without a GPU, WebGL is drawn by software.
    browser.#chromium = spawn("chromium", [
      "--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
      "--remote-debugging-port=0", `--user-data-dir=${browser.#profile}`, "--window-size=1280,800", ...flags, "about:blank",
    ]);
    const { stderr } = browser.#chromium;
    try {
      browser.#address = await new Promise((found, failed) => {
        let said = "";
        stderr.on("data", (text) => {
          said += text;
          const line = said.match(/DevTools listening on ws:\/\/([^/]+)/);
          if (line) found(line[1]);
        });
        browser.#chromium.once("error", (error) => failed(new NoBrowser(error.message)));
        setTimeout(() => failed(new NoBrowser(`Chromium does not start: ${said.slice(0, 400)}`)), 60_000).unref();
      });
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  /** Opens a page in a tab of its own, which is `width` x `height` points. */
  async open(url, { width = 1280, height = 800, touch = false } = {}) {
    const answer = await fetch(`http://${this.#address}/json/new?about:blank`, { method: "PUT" });
    const page = new Page(this.#profile);
    this.#pages.push(page);
    await page.connect((await answer.json()).webSocketDebuggerUrl);
    await page.call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: touch });
    // Several tabs, and each believes that it is in front.
    await page.call("Emulation.setFocusEmulationEnabled", { enabled: true });
    if (touch) await page.call("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 5 });
    // A first visit, whatever earlier tabs have kept.
    await page.call("Storage.clearDataForOrigin", { origin: new URL(url).origin, storageTypes: "local_storage" });
    await page.go(url);
    return page;
  }

  /** Closes what a check has left open, so that it does not slow down the next one. */
  async closePages() {
    for (const page of this.#pages.splice(0)) await page.close().catch(() => {});
  }

  async close() {
    const chromium = this.#chromium;
    chromium.kill();
    if (chromium.pid && chromium.exitCode === null && chromium.signalCode === null) {
      await new Promise((ended) => chromium.once("exit", ended));
    }
    try {
      rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } catch (error) {
      // Its children may still write; the system empties its folder of temporary files.
      console.error(`left behind: ${error.message}`);
    }
  }
}

/** One tab. */
export class Page {
  /** What went wrong on the page: exceptions, and what it wrote to the console as an error. */
  faults = [];
  /** The folder that downloads go to. */
  downloads;
  #socket;
  #sent = 0;
  #answers = new Map();
  #listeners = new Map();

  constructor(profile) {
    this.downloads = mkdtempSync(join(profile, "downloads-"));
  }

  async connect(address) {
    this.#socket = new WebSocket(address);
    await new Promise((open) => this.#socket.addEventListener("open", open));
    this.#socket.addEventListener("message", ({ data }) => {
      const { id, result, error, method, params } = JSON.parse(data);
      if (id) this.#answers.get(id)(error ? Promise.reject(new Error(error.message)) : result);
      this.#listeners.get(method)?.(params);
    });
    this.on("Runtime.exceptionThrown", ({ exceptionDetails: { exception, text } }) => {
      this.faults.push(exception?.description ?? text);
    });
    this.on("Runtime.consoleAPICalled", ({ type, args }) => {
      if (type === "error") this.faults.push(args.map((arg) => arg.value ?? arg.description).join(" "));
    });
    await this.call("Runtime.enable");
    await this.call("Page.enable");
    await this.call("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: this.downloads });
  }

  /** Calls `listener(params)` for each event of the protocol with this name. */
  on(method, listener) {
    this.#listeners.set(method, listener);
  }

  /** A command of the protocol. */
  call(method, params = {}) {
    return new Promise((answer) => {
      this.#answers.set(++this.#sent, answer);
      this.#socket.send(JSON.stringify({ id: this.#sent, method, params }));
    });
  }

  /** Loads an address. */
  async go(url) {
    await this.call("Page.navigate", { url });
  }

  /** The value of an expression on the page: anything that JSON can hold; a promise is awaited. */
  async value(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", {
      expression, awaitPromise: true, returnByValue: true, userGesture: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until `expression` is true on the page (it may fail while a page is being loaded) and returns its value. */
  async until(expression, what = expression, patience = PATIENCE) {
    for (const begin = Date.now(); ; await sleep(100)) {
      const value = await this.value(expression).catch(() => undefined);
      if (value) return value;
      if (Date.now() - begin > patience) throw new Error(`${what}: not within ${patience / 1000} s. ${this.faults.join("\n")}`);
    }
  }

  /** Waits until the first view is drawn and computed; fails with the page's own sentence. */
  async computed() {
    const said = await this.until(
      "globalThis.modelens?.computed || document.querySelector('#start.failed')?.textContent",
      "the first view is computed",
    );
    if (typeof said === "string") throw new Error(said);
    if (this.faults.length) throw new Error(this.faults.join("\n"));
  }

  /** Presses the mouse at a point and releases it. */
  async click(x, y) {
    await this.move(x, y);
    await this.press(x, y);
    await this.release(x, y);
  }

  async move(x, y, buttons = 0) {
    await this.call("Input.dispatchMouseEvent", { type: "mouseMoved", x, y, buttons });
  }

  async press(x, y) {
    await this.call("Input.dispatchMouseEvent", { type: "mousePressed", x, y, button: "left", buttons: 1, clickCount: 1 });
  }

  async release(x, y) {
    await this.call("Input.dispatchMouseEvent", { type: "mouseReleased", x, y, button: "left", clickCount: 1 });
  }

  /** Presses a key: "a", "3", "F2", "Enter", "Ctrl+Shift+L". */
  async key(name) {
    const words = name.split("+");
    const key = words.pop();
    const modifiers = words.reduce((sum, word) => sum | { Alt: 1, Ctrl: 2, Meta: 4, Shift: 8 }[word], 0);
    const code = /^\d$/.test(key) ? `Digit${key}` : /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key;
    const number = NUMBERS[key] ?? (/^F\d+$/.test(key) ? 111 + Number(key.slice(1)) : key.toUpperCase().charCodeAt(0));
    const text = key === "Space" ? " " : key.length === 1 && !(modifiers & 7) ? key : undefined;
    const event = { key: key === "Space" ? " " : key, code, modifiers, windowsVirtualKeyCode: number };
    await this.call("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...event });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Types a text into what has the focus. */
  async type(text) {
    await this.call("Input.insertText", { text });
  }

  /** Touches the page with one finger or more, each a list of [x, y] points that it passes. */
  async touch(...fingers) {
    const at = (step) => fingers.map((points, id) => ({ id, x: points[Math.min(step, points.length - 1)][0], y: points[Math.min(step, points.length - 1)][1] }));
    const steps = Math.max(...fingers.map((points) => points.length));
    await this.call("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0) });
    for (let step = 1; step < steps; step++) {
      await sleep(30);
      await this.call("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(step) });
    }
    await this.call("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }

  /** Drops files of this machine on the page. */
  async drop(files, x = 600, y = 400) {
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) await this.call("Input.dispatchDragEvent", { type, x, y, data });
  }

  /** Waits for a download whose name `matches`, and returns its path. */
  async downloaded(matches, patience = 30_000) {
    for (const begin = Date.now(); ; await sleep(100)) {
      const name = readdirSync(this.downloads).find((name) => matches.test(name) && !name.endsWith(".crdownload"));
      if (name) return join(this.downloads, name);
      if (Date.now() - begin > patience) throw new Error(`no download ${matches}: ${readdirSync(this.downloads)}`);
    }
  }

  /** Writes a picture of the page. */
  async picture(file) {
    const { data } = await this.call("Page.captureScreenshot");
    writeFileSync(file, Buffer.from(data, "base64"));
  }

  /** The accessibility tree: a list of { role, name, value, id, ... } without the ignored nodes. */
  async accessibility() {
    const { nodes } = await this.call("Accessibility.getFullAXTree");
    return nodes.filter((node) => !node.ignored).map(({ role, name, value, backendDOMNodeId, properties = [] }) => ({
      role: role?.value, name: name?.value ?? "", value: value?.value, id: backendDOMNodeId,
      ...Object.fromEntries(properties.map((property) => [property.name, property.value.value])),
    }));
  }

  /** Waits for the node with a role and a name (or a name that matches) in the accessibility tree. */
  async named(role, name, patience = PATIENCE) {
    const fits = (node) => node.role === role && (name instanceof RegExp ? name.test(node.name) : node.name === name);
    for (const begin = Date.now(); ; await sleep(200)) {
      const nodes = await this.accessibility();
      const found = nodes.find(fits);
      if (found) return found;
      if (Date.now() - begin > patience) {
        throw new Error(`no ${role} ${name} among ${nodes.filter((node) => node.role === role).map((node) => node.name).join(" | ")}`);
      }
    }
  }

  /** The value of `does` (the text of a function) for the element of a node: its `this`. */
  async of({ id }, does) {
    const { object } = await this.call("DOM.resolveNode", { backendNodeId: id });
    const { result } = await this.call("Runtime.callFunctionOn", {
      objectId: object.objectId, functionDeclaration: does, returnByValue: true, userGesture: true,
    });
    return result.value;
  }

  async close() {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    await Promise.race([this.call("Page.close"), sleep(5000)]);
    this.#socket.close();
  }

  /** Waits until the window has drawn that many further frames. */
  async frames(count = 4) {
    await this.value(`new Promise((drawn) => {
      let left = ${count};
      const next = () => (left-- ? requestAnimationFrame(next) : drawn(true));
      next();
    })`);
    await sleep(200);
  }
}

/** Fails when a check has had five minutes. */
async function late(name) {
  await new Promise((ready) => setTimeout(ready, 300_000).unref());
  throw new Error(`${name}: not done within five minutes`);
}

/**
 * Runs checks one after the other, each a pair of a name and an async function, and ends the program: 1 if one fails,
 * 3 if there is no browser.
 */
export async function run(checks, { flags = [], ends = () => {} } = {}) {
  let browser, status = 0;
  try {
    browser = await Browser.start(flags);
  } catch (error) {
    console.error(`no browser: ${error.message}`);
    ends();
    process.exit(error instanceof NoBrowser ? 3 : 1);
  }
  const only = process.argv[2];
  for (const [name, check] of Object.entries(checks)) {
    if (only && !name.includes(only)) continue;
    // On a busy machine a key may come before the window is ready for it: a check that fails is run once more.
    for (const last of [false, true]) {
      const begin = Date.now();
      const passed = await Promise.race([check(browser), late(name)]).then(() => true, (error) => {
        console.error(`${last ? "FAILED " : "again  "} ${name}: ${error.stack}`);
        return false;
      });
      await browser.closePages();
      if (passed) console.log(`ok      ${name} (${((Date.now() - begin) / 1000).toFixed(1)} s)`);
      else if (last) status = 1;
      if (passed) break;
    }
  }
  await browser.close();
  ends();
  process.exit(status);
}
