// What the page writes: figures, lessons and handouts as downloads, links to the clipboard; and what it asks on leaving.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { run, serve, sleep } from "./browser.mjs";

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
      const click = async (role, name) => page.of(await page.named(role, name), "function() { this.click(); }");
      await page.key("Ctrl+e");
      await click("radio", kind);
      await page.frames();
      await click("button", "Save...");
      const figure = readFileSync(await page.downloaded(new RegExp(`\\.${kind.toLowerCase()}$`)));
      assert.match(figure.toString("latin1", 0, 200), start);
      await page.close();
    }
  },

  async "Copy link copies the address of the page"(browser) {
    const page = await opened(browser, "#v1;view=dropout;batch=4");
    await page.call("Browser.grantPermissions", { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"] });
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
