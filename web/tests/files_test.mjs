// Files: addresses in the address, drops and choices; each failure is a sentence, and the page shows what is bundled.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, serve } from "./browser.mjs";

const here = (path) => new URL(path, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "modelens-files-"));
const photos = here("../../assets/photos");
cpSync(here("../../tests/fixtures/golden/bnnet_keras3/model.keras"), join(folder, "net.keras"));
for (const name of ["fish1", "fish2"]) cpSync(`${photos}/fish/${name}.webp`, join(folder, `pets/fish/${name}.webp`));
for (const name of ["windmill", "windmill1"]) cpSync(`${photos}/windmill/${name}.webp`, join(folder, `pets/windmill/${name}.webp`));
execFileSync("python3", ["-m", "zipfile", "-c", "pets.zip", "pets"], { cwd: folder });
writeFileSync(join(folder, "net.labels.txt"), "odd\neven\n");
writeFileSync(join(folder, "notes.keras"), "These are notes.");
writeFileSync(join(folder, "own.toml"), `lesson = 1
title = "One network"
model = "net.keras"
photos = "pets.zip"
[[step]]
title = "Look"
view = "batchnorm"
text = "Here."
[[step]]
title = "Look again"
view = "predict"
text = "There."
`);

/** Answers as a server that is full of obstacles. */
function obstacle(request, response) {
  const { pathname } = new URL(request.url, "http://host");
  if (pathname === "/far/large.zip") {
    response.writeHead(200, { "content-length": 3e9 }).end();
    return true;
  }
  if (request.headers.origin && pathname.startsWith("/open/")) response.setHeader("access-control-allow-origin", "*");
  return false;
}
const site = await serve({ "/": here("../dist/"), "/far/": folder }, obstacle);
const other = await serve({ "/open/": folder, "/closed/": folder }, obstacle);
const page_with = (...pairs) => `${site.url}?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&")}`;
const place = (part) => `decodeURIComponent(globalThis.modelens?.place ?? "").includes(${JSON.stringify(part)})`;

await run({
  async "a model and photos of addresses open, from here and from another server"(browser) {
    const page = await browser.open(`${page_with(["model", "far/net.keras"], ["model", "far/net.labels.txt"], ["photos", `${other.url}open/pets.zip`])}#v1;view=predict;batch=4`);
    await page.computed();
    await page.until(place(`model=${site.url}far/net.keras`));
    await page.until(place(`photos=${other.url}open/pets.zip`));
    await page.until(place("view=predict"));
    await page.until(`decodeURIComponent(location.hash).includes("far/net.keras")`);
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "single photos of addresses are a set with the classes of their folders"(browser) {
    const names = ["fish/fish1", "fish/fish2", "windmill/windmill"].map((name) => ["photos", `far/pets/${name}.webp`]);
    const page = await browser.open(page_with(...names));
    await page.computed();
    await page.until(place("photos=/Photos of the address"));
    await page.until(place("photo=fish/"));
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "a lesson of an address opens the files beside it"(browser) {
    const page = await browser.open(`${page_with(["lesson", "far/own.toml"])}#v1;lesson=${encodeURIComponent(`${site.url}far/own.toml`)};step=2`);
    await page.computed();
    await page.until(place(`lesson=${site.url}far/own.toml;step=2`), "x", 15000).catch(async () => console.log(await page.value("JSON.stringify([modelens, location.hash])")));
    await page.key("PageUp");
    await page.until("location.hash.endsWith('step=1')");
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "a picture in the clipboard opens as a photo"(browser) {
    const page = await browser.open(`${site.url}#v1;view=predict;batch=4`);
    await page.computed();
    await page.call("Browser.grantPermissions", { permissions: ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    await page.value(`(async () => {
      const canvas = new OffscreenCanvas(120, 90);
      canvas.getContext("2d").fillRect(20, 20, 40, 40);
      const png = await canvas.convertToBlob({ type: "image/png" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
      document.getElementById("window").focus();
      return true;
    })()`);
    await page.call("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "v", code: "KeyV", modifiers: 2, windowsVirtualKeyCode: 86, commands: ["paste"] });
    await page.until(place("photos=/Pasted 1"));
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "what cannot be fetched is told, and the page shows what is bundled"(browser) {
    // Each address has two faults, and each is told.
    for (const faults of [
      {
        model: ["far/none.keras", /^What the address names could not be opened: none\.keras could not be fetched \(the server answers 404.*none\.keras$/],
        photos: ["far/large.zip", /^What the address names could not be opened: large\.zip has 3000 MB, and the page takes at most 1074 MB/],
      },
      {
        model: [`${other.url}closed/net.keras`, /^What the address names could not be opened: .*CORS/],
        photos: ["far/notes.keras", /^What the address names could not be opened: .*notes\.keras$/],
      },
      {
        model: ["far/notes.keras", /^What the address names could not be opened: .*notes\.keras$/],
        lesson: ["far/none.toml", /^The lesson could not be opened: none\.toml could not be fetched/],
      },
      {
        model: ["ftp://example.org/a.h5", /^What the address names could not be opened: .*http and https addresses alone/],
        lesson: ["far/notes.keras", /^The lesson could not be opened: /],
      },
    ]) {
      const page = await browser.open(page_with(...Object.entries(faults).map(([key, [value]]) => [key, value])));
      await page.computed();
      const failed = await page.until("modelens.failed?.length === 2 && modelens.failed", "both faults are told");
      for (const [, said] of Object.values(faults)) assert.ok(failed.some((text) => said.test(text)), failed.join("\n"));
      await page.until(place("model=lab_mobilenetv2"));
      await page.close();
    }
  },

  async "dropped files and folders open, and Back returns to what was bundled"(browser) {
    const page = await browser.open(`${site.url}#v1;view=predict;batch=4`);
    await page.computed();
    await page.until(place("view=predict"));
    await page.drop([join(folder, "net.keras"), join(folder, "net.labels.txt")]);
    await page.until(place("model=/Dropped 1/net.keras"));
    assert.ok(!(await page.value("location.hash")), "a link holds no file");
    await page.drop([join(folder, "pets")]);
    await page.until(place("photos=/Dropped 2/pets"));
    await page.value("history.back()");
    await page.until(`!${place("photos=/Dropped")}`);
    await page.value("history.back()");
    await page.until(place("model=lab_mobilenetv2"));
    await page.value("history.go(2)");
    await page.until(place("photos=/Dropped 2/pets"));
    await page.until(place("model=/Dropped 1/net.keras"));
    await page.drop([join(folder, "own.toml"), join(folder, "net.keras"), join(folder, "pets.zip")]);
    await page.until(place("lesson=/Dropped 3/own.toml;step=1"));
    assert.equal(await page.value("modelens.failed"), undefined);
    await page.close();
  },

  async "chosen files open"(browser) {
    const page = await browser.open(`${site.url}#v1;view=predict;batch=4`);
    await page.computed();
    await page.call("Page.setInterceptFileChooserDialog", { enabled: true });
    const asked = new Promise((chosen) => page.on("Page.fileChooserOpened", chosen));
    await page.value("document.getElementById('window').focus()");
    await page.key("Ctrl+o");
    const { backendNodeId, mode } = await asked;
    assert.equal(mode, "selectMultiple");
    await page.call("DOM.setFileInputFiles", { files: [join(folder, "net.keras")], backendNodeId });
    await page.until(place("model=/Chosen 1/net.keras"));
    await page.close();
  },
}, {
  ends() {
    site.close();
    other.close();
    rmSync(folder, { recursive: true });
  },
});
