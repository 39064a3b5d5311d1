// Another page embeds this one: without bars, and with messages in both directions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { run, serve } from "./browser.mjs";

const here = (path) => new URL(path, import.meta.url).pathname;
const model = readFileSync(here("../../tests/fixtures/golden/bnnet_keras3/model.keras")).toString("base64");
const site = await serve({ "/": here("../dist/"), "/docs/": here("../../docs/") });
const course = await serve({}, (request, response) => {
  const of = new URL(request.url, "http://host").searchParams.get("embed");
  response.writeHead(200, { "content-type": "text/html" });
  response.end(`<!doctype html><iframe src="${site.url}?embed${of ? `=${of}` : ""}" style="width: 1000px; height: 700px"></iframe>
<script>
  globalThis.told = [];
  const frame = document.querySelector("iframe").contentWindow;
  addEventListener("message", ({ data, source }) => source === frame && told.push(data));
  globalThis.send = (message, moved) => frame.postMessage(message, ${JSON.stringify(site.url)}, moved);
</script>`);
  return true;
});
const told = (test) => `globalThis.told.find((message) => ${test})`;

await run({
  async "an embedded page takes a model and a state and tells what it shows"(browser) {
    const page = await browser.open(course.url);
    await page.until(told("message.modelens === 'ready'"));
    await page.value(`(() => {
      const bytes = Uint8Array.from(atob("${model}"), (c) => c.charCodeAt(0)).buffer;
      send({ modelens: "open", model: { name: "../net.keras", bytes, beside: [{ name: "net.labels.txt", bytes: new TextEncoder().encode("a\\nb\\n") }] },
        state: "#v1;view=batchnorm;batch=4" }, [bytes]);
    })()`);
    const state = await page.until(told("message.modelens === 'state' && message.state.includes('view=batchnorm') && message.state.includes('net.keras')"));
    assert.equal(state.shareable, false, "a link holds no file");
    assert.match(decodeURIComponent(state.state), /model=\/Given 1\/net\.keras/);
    await page.value(`send({ modelens: "open", photos: "none.zip" })`);
    const failed = await page.until(told("message.modelens === 'failed'"));
    assert.match(failed.text, /404.*none\.zip/);
    await page.value(`send({ modelens: "open", model: { name: "x" } })`);
    await page.until(told("message.modelens === 'failed' && message.text.includes('name and bytes')"));
    await page.value(`send({ modelens: "open", state: "#v1;view=dropout;model=lab_mobilenetv2" })`);
    await page.until(told("message.modelens === 'state' && message.state.includes('view=dropout') && message.shareable"));
    await page.close();
  },

  async "an embedded page answers the origin that its address names, and no other"(browser) {
    const own = await browser.open(`${course.url}?embed=${encodeURIComponent(new URL(course.url).origin)}`);
    await own.until(told("message.modelens === 'ready'"));
    await own.value(`send({ modelens: "open", state: "#v1;view=dropout" })`);
    await own.until(told("message.modelens === 'state' && message.state.includes('view=dropout')"));
    await own.close();
    const foreign = await browser.open(`${course.url}?embed=${encodeURIComponent("https://example.org")}`);
    await new Promise((ready) => setTimeout(ready, 8000));
    await foreign.value(`send({ modelens: "open", state: "#v1;view=dropout" })`);
    await new Promise((ready) => setTimeout(ready, 2000));
    assert.deepEqual(await foreign.value("told"), []);
    await foreign.close();
  },

  async "the example for authors works"(browser) {
    const page = await browser.open(`${site.url}docs/embedding.html`);
    await page.until("document.getElementById('said').textContent.includes('batchnorm')");
    await page.close();
  },
}, {
  ends() {
    site.close();
    course.close();
  },
});
