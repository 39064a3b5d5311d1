// An output cell in Chromium: the page opens the model that Python was given, and Python learns what it shows.
// usage: node --experimental-websocket python/tests/cell.mjs   needs MODELENS_BINARY; exit status 3: no Chromium
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { run } from "../../web/tests/browser.mjs";

const here = (path) => new URL(path, import.meta.url).pathname;
const script = `
import sys, modelens_notebook as modelens
widget = modelens.show(sys.argv[1], view="batchnorm", channel=2, batch=4)
print(widget.url, flush=True)
for line in sys.stdin:
    print(widget.state, flush=True)
`;
const python = spawn(process.env.PYTHON ?? "python3", ["-c", script, here("../../tests/fixtures/golden/bnnet_keras3/model.keras")], {
  env: { PYTHONPATH: here("../src"), ...process.env }, stdio: ["pipe", "pipe", "inherit"],
});
const line = () => new Promise((found) => python.stdout.once("data", (text) => found(String(text).trim())));
const url = await line();
const state = () => {
  python.stdin.write("\n");
  return line();
};

await run({
  async "a cell opens the given model and tells Python what it shows"(browser) {
    const page = await browser.open(url);
    const inside = "document.querySelector('iframe')?.contentWindow";
    await page.until(`${inside}?.modelens?.computed`);
    assert.deepEqual(await page.value(`${inside}.modelens.failed ?? []`), []);
    await page.until(`decodeURIComponent(${inside}.modelens.place ?? '').includes('model.keras')`);
    let told = await state();
    assert.match(told, /^#v1;view=batchnorm;.*channel=2/);
    assert.doesNotMatch(told, /model=/, "a state names no file of this server");
    await page.click(400, 400);
    await page.key("2");
    for (let i = 0; i < 100 && !told.includes("view=dropout"); i++) {
      await new Promise((ready) => setTimeout(ready, 100));
      told = await state();
    }
    assert.match(told, /^#v1;view=dropout/);
    await page.close();
  },
}, { ends: () => python.kill() });
