// What a screen reader finds: views, sentences, controls, by role and name; and that it can operate them.
import { run, serve, sleep } from "./browser.mjs";

const site = await serve({ "/": new URL("../dist/", import.meta.url).pathname });
const VIEWS = ["Why?", "Augmentation", "Dropout", "BatchNorm", "Trainable", "Fine-tune", "Predict", "Releases"];

function assert(holds, what) {
  if (!holds) throw new Error(what);
}

/** The state of one control after it has changed to what `is` wants. */
async function becomes(page, role, name, is, what) {
  for (let tries = 0; ; tries++) {
    const node = await page.named(role, name);
    if (is(node)) return node;
    if (tries > 100) throw new Error(`${what}: ${JSON.stringify(node)}`);
    await sleep(200);
  }
}

/** The text between the headings of the explanation and of the code; false until it is there. */
const SENTENCES = `(() => {
  const after = (one, other) => one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
  const [seen, code] = ["WHAT YOU SEE", "CODE"].map((name) => document.querySelector('#mirror [role=heading][aria-label="' + name + '"]'));
  const texts = [...document.querySelectorAll("#mirror div")].filter((element) => element.firstChild?.nodeType === Node.TEXT_NODE);
  return texts.find((text) => after(seen, text) && after(text, code))?.textContent;
})()`;

async function opened(browser, options) {
  const page = await browser.open(site.url, options);
  await page.computed();
  await page.named("tab", "Why?");
  return page;
}

await run({
  async "every view has its tab, its sentences and its code"(browser) {
    const page = await opened(browser);
    for (const view of VIEWS) {
      await page.of(await page.named("tab", view), "function() { this.click(); }");
      const tab = await becomes(page, "tab", view, (tab) => tab.selected, `${view} is shown`);
      // The element is the same as before: a reader that was on it still is.
      const place = JSON.parse(await page.of(tab, "function() { return JSON.stringify(this.getBoundingClientRect()); }"));
      assert(place.width > 20 && place.height > 20 && place.top < 100, `${view}: the tab is at ${JSON.stringify(place)}`);
      const sentence = await page.until(SENTENCES, `the sentences of ${view}`);
      console.log(`        ${view}: ${sentence.split("\n")[0]}`);
      const nodes = await page.accessibility();
      const unnamed = nodes.filter(
        ({ role, name }) => ["button", "tab", "checkbox", "radio", "slider", "spinbutton", "image"].includes(role) && !name,
      );
      assert(!unnamed.length, `${view}: without a name: ${JSON.stringify(unnamed)}`);
    }
    await page.close();
  },

  async "a click, a value and a step through the elements change the window"(browser) {
    const page = await opened(browser);
    // A switch of the first view.
    await page.of(await page.named("radio", "base_model.trainable True"), "function() { this.click(); }");
    await becomes(page, "radio", "base_model.trainable True", (radio) => radio.checked === "true", "the switch is on");
    await becomes(page, "radio", "base_model.trainable False", (radio) => radio.checked === "false", "the other is off");
    // A field with a number.
    await page.of(await page.named("tab", "BatchNorm"), "function() { this.click(); }");
    const set = "function() { this.value = 16; this.dispatchEvent(new Event('input', { bubbles: true })); }";
    await page.of(await page.named("slider", "Photos in a batch"), set);
    await becomes(page, "slider", "Photos in a batch", ({ value }) => Number(value) === 16, "the slider moves");
    await becomes(page, "spinbutton", "Batch size", ({ value }) => Number(value) === 16, "the field follows");
    // A slider that only moves by steps.
    const strip = await page.named("slider", /^BatchNorm layer/);
    const before = Number(strip.value);
    const press = "function() { this.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })); }";
    await page.of(strip, press);
    await becomes(page, "slider", /^BatchNorm layer/, ({ value }) => Number(value) === before + 1, "the strip moves");
    assert(!page.faults.length, page.faults.join("\n"));
    await page.close();
  },

  async "the keyboard's focus is the same in the window and for a reader"(browser) {
    const page = await opened(browser);
    const pointed = "document.getElementById(document.getElementById('window').getAttribute('aria-activedescendant'))";
    // From the page to the window.
    await page.of(await page.named("tab", "Dropout"), "function() { this.focus(); }");
    await page.until(`${pointed}?.getAttribute('aria-label') === 'Dropout'`, "the window's focus follows");
    assert(await page.value("document.activeElement.id === 'window'"), "the canvas has the keyboard");
    // From the window to the page.
    await page.key("Tab");
    await page.until(`${pointed}?.getAttribute('aria-label') === 'BatchNorm'`, "the reader's focus follows");
    await page.key("Enter");
    await becomes(page, "tab", "BatchNorm", (tab) => tab.selected, "Enter presses what has the focus");
    await page.until(`${pointed}?.getAttribute('aria-label') === 'BatchNorm'`, "the focus stays on the pressed tab");
    await page.close();
  },

  async "a lesson is read and answered"(browser) {
    const page = await opened(browser);
    await page.of(await page.named("button", "Nine identical images?"), "function() { this.click(); }");
    const step = await page.named("button", /^Step 1 of/);
    assert(step, "the first step");
    await page.of(await page.named("button", /^(Next|Reveal)/), "function() { this.click(); }");
    await page.named("button", /^Step 2 of|^Step 1 of/);
    await page.close();
  },

  async "what is computed is announced, and an idle page is left alone"(browser) {
    const page = await opened(browser);
    await page.until("document.getElementById('polite').textContent.length > 3", "a status is announced");
    await sleep(2000);
    await page.value(`globalThis.touched = 0; new MutationObserver((all) => (touched += all.length))
      .observe(document.getElementById('mirror'), { subtree: true, childList: true, attributes: true, characterData: true })`);
    await sleep(2000);
    const touched = await page.value("touched");
    assert(touched === 0, `${touched} changes of elements while nothing changed`);
    await page.close();
  },
}, { ends: site.close });
