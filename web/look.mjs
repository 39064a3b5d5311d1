// Opens a page in headless Chromium; fails unless the window is drawn and its first view is computed.
// usage: node --experimental-websocket look.mjs URL OUT.png      (look.sh serves the page)
import { run, sleep } from "./tests/browser.mjs";

const [url, out] = process.argv.splice(2);
await run({
  async "the page is drawn and computed"(browser) {
    const page = await browser.open(url);
    await page.computed();
    const times = await page.value("[modelens.drawn, modelens.shown, modelens.computed]");
    const [drawn, shown, computed] = times.map((ms) => `${(ms / 1000).toFixed(1)} s`);
    console.log(`the window was drawn after ${drawn}, it showed the first numbers after ${shown} and all of its view after ${computed}`);
    await sleep(1000);
    await page.picture(out);
  },
});
