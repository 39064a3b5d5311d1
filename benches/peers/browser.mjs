// Times the page's worker beside onnxruntime-web and TensorFlow.js (wasm backend) in headless Chromium: MobileNetV2,
// 160 x 160 x 3, batch 32, float32, one thread each.
//
// usage: node --experimental-websocket browser.mjs [RUNS]      needs web/dist (web/build.sh), Chromium, npm, and a
// Python with torch, torchvision and onnx
//
// They take turns, RUNS times after two that do not count, so that a machine that slows down slows all; medians.
// onnxruntime-web and TensorFlow.js run the base, with BatchNorm folded into the convolutions; modelens runs the whole
// bundled network, with its head. A browser that has relaxed SIMD, as Chromium does, gets the build that uses it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { Browser, serve } from "../../web/tests/browser.mjs";

const runs = Number(process.argv[2] ?? 7);
const INFERENCE = "forward, inference";
const root = new URL("../../", import.meta.url).pathname;
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "modelens-tools", "browser-peers");
const VERSIONS = { "onnxruntime-web": "1.30.0", "@tensorflow/tfjs-core": "4.22.0", "@tensorflow/tfjs-backend-wasm": "4.22.0" };
mkdirSync(cache, { recursive: true });
if (!existsSync(join(cache, "node_modules", "onnxruntime-web"))) {
  const wanted = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  execFileSync("npm", ["install", "--silent", "--prefix", cache, ...wanted], { stdio: "inherit" });
}
const folder = mkdtempSync(join(tmpdir(), "modelens-timing-"));
const EXPORT = `
import sys, torch
from torchvision.models import mobilenet_v2
base = mobilenet_v2(weights=None).features.eval()
torch.onnx.export(base, (torch.zeros(32, 3, 160, 160),), sys.argv[1], input_names=["x"], dynamo=False)
`;
execFileSync(process.env.PYTHON ?? "python3", ["-W", "ignore", "-c", EXPORT, join(folder, "base.onnx")], { stdio: ["ignore", "ignore", "inherit"] });
// The whole workspace, so that its dependencies are those of the tests.
const built = execFileSync("cargo", ["build", "--quiet", "--locked", "--workspace", "--example", "replay", "--message-format", "json"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
const program = built.split("\n").filter((line) => line.startsWith("{")).map(JSON.parse).find((made) => made.target?.name === "replay" && made.executable).executable;
execFileSync(program, ["timing", folder], { stdio: "inherit" });

// Each function prepares its page and returns what to time there: a call returns milliseconds.

async function own(build) {
  const [wasm, asked] = await Promise.all([`/${build}_bg.wasm`, "/timing/requests.bin"].map(async (path) => (await fetch(path)).arrayBuffer()));
  const worker = new Worker("/worker.js", { type: "module" });
  worker.postMessage({ module: await WebAssembly.compile(wasm), build });
  const view = new DataView(asked);
  const requests = [];
  for (let at = 0; at < asked.byteLength; at += 8 + requests.at(-1).bytes.length) {
    requests.push({ events: view.getUint32(at, true), bytes: new Uint8Array(asked, at + 8, view.getUint32(at + 4, true)) });
  }
  /** Sends a request; its answers. */
  const ask = ({ events, bytes }) => new Promise((ready) => {
    const answers = [];
    worker.onmessage = ({ data }) => {
      if (!(data instanceof Uint8Array) || data[0] !== 0 || data[1] === 0) return;
      if (answers.push(data) === events) ready(answers);
    };
    const message = new Uint8Array(1 + bytes.length);
    message.set(bytes, 1);
    worker.postMessage(message);
  });
  const [open, inference, training, photos, start, step] = requests;
  await ask(open);
  // A pass says itself how long it took: its answer ends with the seconds.
  const pass = (request) => async () => {
    const [answer] = await ask(request);
    return new DataView(answer.buffer).getFloat64(answer.length - 8, true) * 1e3;
  };
  let started = false;
  return {
    [INFERENCE]: pass(inference),
    "forward, training": pass(training),
    "training step, all layers open": async () => {
      if (!started) {
        await ask(photos);
        await ask(start);
        started = true;
      }
      const begin = performance.now();
      await ask(step);
      return performance.now() - begin;
    },
  };
}

async function onnxruntime() {
  const ort = await import("/peers/onnxruntime-web/dist/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create("/timing/base.onnx", { executionProviders: ["wasm"] });
  const values = new Float32Array(32 * 3 * 160 * 160).map((_, i) => ((i * 7919) % 1000) / 500 - 1);
  const x = new ort.Tensor("float32", values, [32, 3, 160, 160]);
  return { [INFERENCE]: async () => {
    const begin = performance.now();
    await session.run({ x });
    return performance.now() - begin;
  } };
}

async function tensorflow() {
  for (const name of ["tfjs-core/dist/tf-core.min.js", "tfjs-backend-wasm/dist/tf-backend-wasm.min.js"]) {
    await new Promise((loaded) => {
      const script = document.createElement("script");
      script.onload = loaded;
      script.src = `/peers/@tensorflow/${name}`;
      document.head.append(script);
    });
  }
  tf.wasm.setWasmPaths("/peers/@tensorflow/tfjs-backend-wasm/wasm-out/");
  await tf.setBackend("wasm");
  await tf.ready();
  // What the converter of TensorFlow.js makes of the network: convolutions fused with bias and ReLU.
  const random = (shape) => tf.randomUniform(shape, -0.1, 0.1);
  const conv = (from, to, size, strides, activation) => {
    const [filter, bias] = [random([size, size, from, to]), random([to])];
    return (x) => tf.fused.conv2d({ x, filter, strides, pad: "same", bias, activation });
  };
  const depthwise = (channels, strides) => {
    const [filter, bias] = [random([3, 3, channels, 1]), random([channels])];
    return (x) => tf.fused.depthwiseConv2d({ x, filter, strides, pad: "same", bias, activation: "relu6" });
  };
  const layers = [conv(3, 32, 3, 2, "relu6")];
  let channels = 32;
  for (const [expansion, to, count, stride] of [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]]) {
    for (let i = 0; i < count; i++) {
      const [from, strides, wide] = [channels, i ? 1 : stride, channels * expansion];
      const block = [...(expansion > 1 ? [conv(from, wide, 1, 1, "relu6")] : []), depthwise(wide, strides), conv(wide, to, 1, 1)];
      const run = (x) => block.reduce((y, layer) => layer(y), x);
      layers.push(strides === 1 && from === to ? (x) => tf.add(x, run(x)) : run);
      channels = to;
    }
  }
  layers.push(conv(channels, 1280, 1, 1, "relu6"));
  const x = random([32, 160, 160, 3]);
  return { [INFERENCE]: async () => {
    const begin = performance.now();
    const y = tf.tidy(() => layers.reduce((y, layer) => layer(y), x));
    await y.data();
    y.dispose();
    return performance.now() - begin;
  } };
}

const site = await serve({ "/": join(root, "web/dist/"), "/peers/": join(cache, "node_modules/"), "/timing/": folder + "/" }, (request, response) => {
  if (request.url !== "/empty") return false;
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  return true;
});
const browser = await Browser.start();
const pages = {};
const tools = {
  modelens: [own, "modelens_web_relaxed"],
  "the same without relaxed SIMD": [own, "modelens_web"],
  "onnxruntime-web": [onnxruntime],
  "TensorFlow.js wasm": [tensorflow],
};
for (const [name, [prepare, build = ""]] of Object.entries(tools)) {
  const page = await browser.open(`${site.url}empty`);
  await page.until("document.readyState === 'complete'");
  const works = await page.value(`(async () => {
    globalThis.INFERENCE = ${JSON.stringify(INFERENCE)};
    globalThis.works = await (${prepare})("${build}");
    return Object.keys(works);
  })()`);
  pages[name] = { page, works };
}
const found = {};
for (const work of pages.modelens.works) {
  const rounds = (work === INFERENCE ? runs : Math.min(runs, 3)) + 2;
  for (let round = 0; round < rounds; round++) {
    for (const [name, { page, works }] of Object.entries(pages)) {
      if (!works.includes(work)) continue;
      // A page in the background may be slowed down.
      await page.call("Page.bringToFront");
      found[name] ??= {};
      (found[name][work] ??= []).push(await page.value(`works[${JSON.stringify(work)}]()`));
    }
  }
}
const median = (times) => times.slice(2).sort((a, b) => a - b)[(times.length - 2) >> 1];
for (const times of Object.values(found)) {
  for (const work of Object.keys(times)) times[work] = median(times[work]);
}
await browser.close();
site.close();
rmSync(folder, { recursive: true });

const names = Object.keys(found);
console.log(`| batch 32, one thread | ${names.map((name, i) => (i ? `${name} | ratio` : name)).join(" | ")} |`);
console.log(`|---${"|---".repeat(2 * names.length - 1)}|`);
for (const [work, ms] of Object.entries(found.modelens)) {
  const cells = names.slice(1).map((name) => (name in found && found[name][work] ? `${found[name][work].toFixed(0)} ms | ${(ms / found[name][work]).toFixed(2)}` : "not there | "));
  console.log(`| ${work} | ${ms.toFixed(0)} ms | ${cells.join(" | ")} |`);
}
