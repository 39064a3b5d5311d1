// Opens a page in headless Chromium; fails unless the window is drawn and its first view is computed. Says how soon, and
// how many frames a second are drawn without a GPU.
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
    // A view that moves; egui clears the canvas once a frame.
    await page.go(`${url}#v1;view=dropout;batch=4`);
    await page.value("location.reload()");
    await sleep(1000);
    await page.computed();
    await page.value("document.getElementById('window').focus()");
    await page.key("Space");
    const frames = await page.value(`new Promise((counted) => {
      const { prototype } = WebGL2RenderingContext, { clear } = prototype;
      let count = 0;
      prototype.clear = function (...what) {
        count++;
        return clear.apply(this, what);
      };
      setTimeout(() => counted(count), 5000);
    })`);
    if (!frames) throw new Error("nothing moves");
    console.log(`Dropout plays with ${(frames / 5).toFixed(0)} frames a second, drawn by software`);
  },
});
