// The page itself: it starts, and its first view is computed without a fault.
import { run, serve } from "./browser.mjs";

const site = await serve({ "/": new URL("../dist/", import.meta.url).pathname });

await run({
  async "a page that starts says nothing"(browser) {
    const page = await browser.open(site.url);
    await page.computed();
    if (await page.value("!document.getElementById('start').hidden")) throw new Error("the start panel is still there");
    await page.close();
  },
}, { ends: site.close });
