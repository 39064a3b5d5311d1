// What the page writes: figures, lessons, handouts and models as downloads, links and pictures to the clipboard; and what
// it asks on leaving. The program opens what the page has written.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, serve, sleep } from "./browser.mjs";
import { built } from "./program.mjs";

const program = built("--bin", "modelens");
const modelens = (...words) => execFileSync(program, words, { encoding: "utf8" });
const clipboard = { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"] };

const site = await serve({ "/": new URL("../dist/", import.meta.url).pathname });

/** Carries out a command by its name, in the command palette. */
async function command(page, name) {
  await page.key("Ctrl+p");
  await page.frames();
  await page.type(name);
  await page.frames();
  await page.key("Enter");
  await page.frames();
}

/** Clicks a widget as a screen reader does. */
async function click(page, role, name) {
  await page.of(await page.named(role, name), "function() { this.click(); }");
  await page.frames();
}

async function opened(browser, link) {
  const page = await browser.open(site.url + link);
  await page.computed();
  await page.value("document.getElementById('window').focus()");
  await page.until("globalThis.modelens.place");
  await page.frames();
  return page;
}

await run({
  async "a lesson and its handout are downloads"(browser) {
    const page = await opened(browser, "#v1;view=predict;batch=4;title=Look;text=Here%20are%20{photos}%20photos.");
    await command(page, "Save as lesson");
    const lesson = readFileSync(await page.downloaded(/\.toml$/), "utf8");
    assert.match(lesson, /view = "predict"/);
    await command(page, "Save handout");
    const handout = readFileSync(await page.downloaded(/\.html$/, 120_000), "utf8");
    assert.match(handout, /Here are 93 photos\./);
    assert.match(handout, /<svg/);
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "a figure is a download, as PNG and as SVG"(browser) {
    for (const [kind, start] of [["PNG", /^\x89PNG/], ["SVG", /<svg/]]) {
      const page = await opened(browser, "#v1;view=batchnorm;batch=4");
      await page.key("Ctrl+e");
      await click(page, "radio", kind);
      await click(page, "button", "Save...");
      const figure = readFileSync(await page.downloaded(new RegExp(`\\.${kind.toLowerCase()}$`)));
      assert.match(figure.toString("latin1", 0, 200), start);
      await page.close();
    }
  },

  async "an animation is a download"(browser) {
    const page = await opened(browser, "#v1;view=dropout;batch=4");
    await page.key("Ctrl+e");
    await click(page, "radio", "GIF");
    await click(page, "button", "Save...");
    const gif = readFileSync(await page.downloaded(/\.gif$/, 120_000));
    assert.equal(gif.toString("latin1", 0, 6), "GIF89a");
    await page.close();
  },

  async "a picture of a figure goes to the clipboard"(browser) {
    const page = await opened(browser, "#v1;view=dropout;batch=4");
    await page.call("Browser.grantPermissions", clipboard);
    await page.key("Ctrl+e");
    await page.named("button", "Save...");
    await page.frames();
    // The view's own button copies code; the dialog's comes after it.
    const copy = (await page.accessibility()).findLast(({ role, name }) => role === "button" && name === "Copy");
    await page.of(copy, "function() { this.click(); }");
    await page.until("navigator.clipboard.read().then(([item]) => item.types.includes('image/png'))");
    await page.close();
  },

  async "a model that was trained on the page opens in the program"(browser) {
    const runs = "{ preset = \"head-only\", epochs = 1, batch = 32 }";
    const page = await opened(browser, `#v1;view=finetune;run=${encodeURIComponent(runs)}`);
    await page.key("s");
    // Enabled when the run has weights to save.
    while ((await page.named("button", "Save...")).disabled) await sleep(500);
    await click(page, "button", "Save...");
    const model = await page.downloaded(/\.keras$/, 240_000);
    const said = JSON.parse(modelens("inspect", model, "--json"));
    const original = JSON.parse(modelens("inspect", "--json"));
    assert.equal(said.layers.length, original.layers.length);
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "a recorded lesson is a download that the program walks"(browser) {
    const page = await opened(browser, "#v1;view=dropout;batch=4");
    await command(page, "Record a lesson");
    await click(page, "button", "Add step");
    await page.value("document.getElementById('window').focus()");
    await page.key("6");
    await page.until("globalThis.modelens.place.includes('view=predict')");
    await click(page, "button", "Add step");
    await click(page, "button", "Save...");
    const lesson = await page.downloaded(/\.toml$/);
    const steps = readFileSync(lesson, "utf8").match(/view = "\w+"/g);
    assert.deepEqual(steps, ['view = "dropout"', 'view = "predict"']);
    const folder = mkdtempSync(join(tmpdir(), "modelens-recording-"));
    modelens("figure", "--from", lesson, "--out", folder);
    assert.equal(readdirSync(folder).length, 2);
    rmSync(folder, { recursive: true });
    await page.close();
  },

  async "Copy link copies the address of the page"(browser) {
    const page = await opened(browser, "#v1;view=dropout;batch=4");
    await page.call("Browser.grantPermissions", clipboard);
    await command(page, "Copy link");
    const copied = await page.until("navigator.clipboard.readText()");
    assert.ok(copied.startsWith(`${site.url}#v1;view=dropout;`), copied);
    await page.close();
  },

  async "leaving asks if training runs would be lost"(browser) {
    const page = await opened(browser, "#v1;view=finetune;batch=4");
    const asks = () => page.value("(() => { const event = new Event('beforeunload', { cancelable: true }); dispatchEvent(event); return event.defaultPrevented; })()");
    assert.equal(await asks(), false);
    await page.key("s");
    for (let tries = 0; !(await asks()); tries++) {
      assert.ok(tries < 40, "the runs have not begun");
      await sleep(500);
    }
    await page.close();
  },
}, { ends: site.close });
