// Opens a page in headless Chromium; fails unless the window is drawn and its first view is computed.
// usage: node --experimental-websocket look.mjs URL OUT.png      (look.sh serves the page)
import { run, sleep } from "./tests/browser.mjs";

const [url, out] = process.argv.splice(2);
await run({
  async "the page is drawn and computed"(browser) {
    const page = await browser.open(url);
    await page.computed();
    const [drawn, computed] = await page.value("[modelens.drawn, modelens.computed]");
    console.log(`the window was drawn after ${(drawn / 1000).toFixed(1)} s, its first view computed after ${(computed / 1000).toFixed(1)} s`);
    await sleep(1000);
    await page.picture(out);
  },
});
