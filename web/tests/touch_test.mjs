// Fingers on a tablet: they press, scroll, magnify and ask for tooltips, and the page itself stays as it is.
import { run, serve, sleep } from "./browser.mjs";

const site = await serve({ "/": process.env.MODELENS_DIST ?? new URL("../dist/", import.meta.url).pathname });
/** Heights of buttons on a finger's way, in CSS pixels: WCAG 2.2 asks for 24. */
const LEAST = 24;

function assert(holds, what) {
  if (!holds) throw new Error(what);
}

async function opened(browser, width, height) {
  const page = await browser.open(site.url, { width, height, touch: true });
  await page.computed();
  return page;
}

async function place(page, role, name) {
  const node = await page.named(role, name);
  return JSON.parse(await page.of(node, "function() { return JSON.stringify(this.getBoundingClientRect()); }"));
}

async function tap(page, role, name) {
  const { left, top, width, height } = await place(page, role, name);
  await page.touch([[left + width / 2, top + height / 2]]);
}

/** Waits for a view; a browser that is too slow takes a tap for a long press, so it is tapped again. */
async function shown(page, name) {
  for (let tries = 0; tries < 5; tries++) {
    for (let wait = 0; wait < 15; wait++) {
      if ((await page.named("tab", name)).selected) return;
      await sleep(200);
    }
    await tap(page, "tab", name);
  }
  throw new Error(`${name} is not shown`);
}

/** The page has neither scrolled nor zoomed. */
async function still(page) {
  const now = await page.value("[visualViewport.scale, visualViewport.pageTop, scrollX, scrollY]");
  assert(JSON.stringify(now) === "[1,0,0,0]", `the page itself moved: ${now}`);
}

await run({
  async "fingers press tabs, which are large enough"(browser) {
    for (const [width, height] of [[1024, 768], [820, 1180]]) {
      const page = await opened(browser, width, height);
      for (const name of ["Trainable", "Dropout"]) {
        await tap(page, "tab", name);
        await shown(page, name);
        const { height: tall, left, width: wide } = await place(page, "tab", name);
        assert(tall >= LEAST && wide >= LEAST && left + wide <= width, `${name}: ${wide} x ${tall} at ${left}`);
      }
      await still(page);
      await page.close();
    }
  },

  async "two fingers magnify the window, and one moves it"(browser) {
    const page = await opened(browser, 1024, 768);
    await shown(page, "Dropout");
    await page.named("heading", /^MEAN OF/);
    const picture = () => page.call("Page.captureScreenshot").then(({ data }) => data);
    await sleep(3000);
    const whole = await picture();
    const spread = (from, to) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => from + ((to - from) * i) / 8);
    await page.touch(spread(480, 200).map((x) => [x, 400]), spread(540, 820).map((x) => [x, 400]));
    await sleep(1500);
    const large = await picture();
    assert(large !== whole, "spreading fingers magnify");
    await page.touch(spread(500, 300).map((x) => [x, 300]));
    await sleep(1500);
    assert((await picture()) !== large, "a finger moves what is magnified");
    // What is hit is what is seen: nothing was pressed on the way.
    await page.touch(spread(100, 500).map((x) => [x, 400]), spread(924, 520).map((x) => [x, 400]));
    await sleep(1500);
    assert((await picture()) === whole, "closing fingers show the whole window again");
    await still(page);
    await page.close();
  },

  async "a finger scrolls a list"(browser) {
    const page = await opened(browser, 1024, 768);
    await shown(page, "Trainable");
    const before = await place(page, "checkbox", "trainable of random_flip");
    await page.touch([...Array(9).keys()].map((i) => [before.left + 200, before.top - 4 * i]));
    await sleep(1500);
    const nodes = (await page.accessibility()).filter(({ role }) => role === "checkbox");
    assert(nodes.length, "the list is there");
    const gone = !nodes.some(({ name }) => name === "trainable of random_flip");
    const after = gone ? undefined : await place(page, "checkbox", "trainable of random_flip");
    assert(gone || after.top < before.top - 10, `the row was at ${before.top} and is at ${after?.top}`);
    await still(page);
    await page.close();
  },

  async "a long press shows a tooltip, and presses nothing"(browser) {
    const page = await opened(browser, 1024, 768);
    const { left, top, width, height } = await place(page, "tab", "Predict");
    const touchPoints = [{ x: left + width / 2, y: top + height / 2 }];
    await page.call("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
    await page.named("tooltip", /.*/);
    // Longer than a tap.
    await sleep(1000);
    await page.call("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await sleep(500);
    const tab = await page.named("tab", "Predict");
    assert(!tab.selected, "the tab was pressed");
    await page.close();
  },
}, { ends: site.close });
