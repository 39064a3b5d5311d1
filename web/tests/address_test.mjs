// The address: links open states and steps of lessons, it follows the window, and Back returns.
import assert from "node:assert/strict";
import { run, serve } from "./browser.mjs";

const site = await serve({ "/": new URL("../dist/", import.meta.url).pathname });
const shows = (...parts) => `[${parts.map((part) => JSON.stringify(part))}].every((part) => globalThis.modelens?.place?.includes(part))`;

await run({
  async "a link opens a state, and Back and Forward move through states"(browser) {
    const page = await browser.open(`${site.url}#v1;view=batchnorm;channel=7;batch=4`);
    await page.computed();
    await page.until(shows("view=batchnorm", "channel=7", "batch=4"));
    const before = await page.value("history.length");
    await page.key("2");
    await page.until(shows("view=dropout", "batch=4"));
    assert.equal(await page.value("history.length"), before + 1, "a view is another place");
    await page.key("r");
    await page.until("location.hash.includes('redraws=1')");
    assert.equal(await page.value("history.length"), before + 1, "new draws adjust it");
    await page.value("history.back()");
    await page.until(shows("view=batchnorm", "channel=7"));
    await page.until("location.hash.includes('view=batchnorm')");
    await page.value("history.forward()");
    await page.until(shows("view=dropout", "redraws=1"));
    assert.deepEqual(await page.value("modelens.failed ?? []"), []);
    await page.close();
  },

  async "the start has no link, and Back returns to it"(browser) {
    const page = await browser.open(site.url);
    await page.computed();
    await page.until(shows("view=start"));
    assert.equal(await page.value("location.href"), site.url);
    await page.key("1");
    await page.until("location.hash.includes('view=augmentation')");
    await page.value("history.back()");
    await page.until(shows("view=start"));
    await page.until(`location.href === ${JSON.stringify(site.url)}`);
    await page.close();
  },

  async "a link that cannot be read is told, and the window stays"(browser) {
    const page = await browser.open(`${site.url}#v1;view=nothing`);
    await page.computed();
    await page.until("modelens.failed?.length === 1");
    const [said] = await page.value("modelens.failed");
    assert.match(said, /^The link could not be opened as written: there is no view `nothing`/);
    await page.until(shows("view=start"));
    await page.value("location.hash = '#v1;view=dropout;hide=%5B%22tabs%22%5D'");
    await page.until(shows("view=dropout", "hide="));
    await page.close();
  },

  async "a link opens a step of a lesson, whose steps are places"(browser) {
    const page = await browser.open(`${site.url}#v1;lesson=nine-identical-images;step=2`);
    await page.computed();
    await page.until(shows("lesson=nine-identical-images", "step=2"));
    await page.key("PageUp");
    await page.until("location.hash.endsWith('step=1')");
    await page.value("history.back()");
    await page.until(shows("step=2"));
    await page.value("location.hash = '#v1;view=predict'");
    await page.until(shows("view=predict"));
    await page.value("history.back()");
    await page.until(shows("lesson=nine-identical-images", "step=2"));
    await page.value("location.hash = '#v1;view=dropout;title=Look;text=Here'");
    await page.until(shows("title=Look"));
    assert.deepEqual(await page.value("modelens.failed ?? []"), []);
    await page.close();
  },

  async "settings come back with the next visit, and a page that may keep none works"(browser) {
    const page = await browser.open(site.url);
    await page.computed();
    await page.key("3");
    await page.until("localStorage.getItem('modelens/settings.json')?.includes('\"batchnorm\"')");
    await page.go("about:blank");
    await page.go(site.url);
    await page.computed();
    await page.until(shows("view=batchnorm"));
    await page.value("localStorage.setItem('modelens/settings.json', '{no')");
    await page.go("about:blank");
    await page.go(site.url);
    await page.computed();
    await page.until("modelens.failed?.[0]?.startsWith('The settings could not be read')");
    assert.equal(await page.value("localStorage.getItem('modelens/settings.unreadable-1.json')"), "{no");
    await page.call("Page.addScriptToEvaluateOnNewDocument", {
      source: "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } })",
    });
    await page.go("about:blank");
    await page.go(site.url);
    await page.computed();
    await page.until(shows("view=start"));
    assert.match((await page.value("modelens.failed")).join(), /keeps nothing for this page/);
    await page.close();
  },
}, { ends: site.close });
