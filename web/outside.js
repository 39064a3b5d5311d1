// What is around the window: the address and its history, files, settings, and another page that embeds this one.
// `rust` is the program's module, `worker` computes.
import { fetched } from "./fetched.js";

const query = new URLSearchParams(location.search);
/** Part of another page: without the bar at the top and the side panel. */
export const embedded = query.has("embed");

/** The most bytes of a lesson. */
const MOST_OF_A_LESSON = 1 << 20;
/** The most bytes that are opened together: the memory of a page is bounded. */
const MOST = 1 << 30;

/** The path of an address in the program: without what comes after the name of the file. */
const path_of = (url) => url.origin + url.pathname;
const folder_of = (path) => path.slice(0, path.lastIndexOf("/"));
const name_of = (path) => path.slice(path.lastIndexOf("/") + 1);

/** An address of the web, relative to the page; fails with a sentence. */
function address(text) {
  let url;
  try {
    url = new URL(text, document.baseURI);
  } catch {
    throw new Error(`this is not an address: ${text}`);
  }
  if (!/^https?:$/.test(url.protocol)) throw new Error(`the page fetches http and https addresses alone: ${text}`);
  return url;
}

/** The files of `?model=`: the first is the model, the others are put beside it. */
function model_at(texts) {
  const [first, ...beside] = texts.map(address);
  const path = path_of(first);
  const side = beside.map((url) => [`${folder_of(path)}/${name_of(url.pathname)}`, url.href]);
  return { path, files: [[path, first.href], ...side] };
}

/** The files of `?photos=`: one address, or several photos, whose classes are the folders they are in. */
function photos_at(texts) {
  const urls = texts.map(address);
  if (urls.length === 1) return { path: path_of(urls[0]), files: [[path_of(urls[0]), urls[0].href]] };
  const path = "/Photos of the address";
  return { path, files: urls.map((url) => [`${path}/${url.pathname.split("/").slice(-2).join("/")}`, url.href]) };
}

/**
 * What the address asks for, with the lesson fetched and everything else known to the worker. What cannot be had is
 * left out, and a sentence about it is in `failures`: pairs of "lesson" or "address" and the sentence.
 */
export async function asked(worker) {
  const found = { page: location.href.split("#")[0], link: location.hash, embedded, model: null, photos: null, lesson: null };
  const failures = [];
  for (const [key, read] of [["model", model_at], ["photos", photos_at]]) {
    const texts = query.getAll(key).filter((text) => text);
    if (!texts.length) continue;
    try {
      const { path, files } = read(texts);
      worker.postMessage({ files });
      found[key] = path;
    } catch (error) {
      failures.push(["address", error.message]);
    }
  }
  let text = "";
  if (query.get("lesson")) {
    try {
      const url = address(query.get("lesson"));
      text = new TextDecoder().decode(await fetched(url.href, () => {}, { most: MOST_OF_A_LESSON }));
      found.lesson = path_of(url);
    } catch (error) {
      failures.push(["lesson", error.message]);
    }
  }
  found.link = complete(found.link, found);
  return { found, text, failures };
}

/** A link that says no model and no photos means those that were opened with it. */
function complete(link, { model, photos }) {
  if (!/^#v\d+;/.test(link) || /[;](lesson|step)=/.test(link)) return link;
  const add = (key, value) => (value && !link.includes(`;${key}=`) ? `;${key}=${encodeURIComponent(value)}` : "");
  return link + add("model", model) + add("photos", photos);
}

const SETTINGS = "modelens";
/** The remembered settings; `null` where the browser keeps nothing for the page. */
export function settings() {
  if (embedded || !globalThis.modelensKeeps()) return null;
  return localStorage.getItem(`${SETTINGS}/settings.json`) ?? "";
}

/** Connects the window, which is drawn, with what is around it. */
export function connect(rust, worker, asked) {
  const times = globalThis.modelens;

  // The address follows the window; each view and step is a place that Back returns to.
  const bare = location.href.split("#")[0];
  let initial;
  globalThis.modelensMoved = (link, shareable, another) => {
    initial ??= asked.link ? "" : link;
    const url = bare + (shareable && link !== initial ? link : "");
    try {
      history[another && !embedded ? "pushState" : "replaceState"]({ link }, "", url);
    } catch {
      // A page without an address of its own, such as srcdoc, has no history.
    }
    times.place = link;
    tell({ modelens: "state", state: link, shareable });
  };
  addEventListener("popstate", ({ state }) => rust.go_to(state?.link ?? (complete(location.hash, asked) || initial || "")));

  // Files: the worker gets them, and the window their names.
  let groups = 0;
  /** Opens files that came together: pairs of a name, which may hold folders, and a Blob. */
  async function open(kind, files) {
    const all = files.reduce((sum, [, file]) => sum + file.size, 0);
    if (all > MOST) {
      const which = files.length === 1 ? files[0][0] : `${files.length} files`;
      return rust.too_large(which, all, MOST);
    }
    const folder = `/${kind} ${++groups}`;
    const placed = files.map(([name, file]) => [`${folder}/${name}`, file]);
    for (const [path, file] of placed) {
      if (/\.toml$/i.test(path) && file.size <= MOST_OF_A_LESSON) rust.give_text(path, await file.text());
    }
    worker.postMessage({ files: placed });
    rust.opened(placed.map(([path]) => path));
  }
  /** The files in something dropped: [name, File] pairs, folders with what is in them. */
  async function inside(entry, before = "") {
    const name = before + entry.name;
    if (entry.isFile) return [[name, await new Promise((found, failed) => entry.file(found, failed))]];
    const reader = entry.createReader();
    const all = [];
    for (;;) {
      const some = await new Promise((found, failed) => reader.readEntries(found, failed));
      if (!some.length) break;
      for (const within of some) all.push(...(await inside(within, `${name}/`)));
    }
    return all;
  }
  const canvas = document.getElementById("window");
  addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    // The window shows where to drop until the files leave it.
    canvas.dispatchEvent(new DragEvent("dragleave"));
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const entries = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
    const read = entries.filter((entry) => entry).map((entry) => entry instanceof File ? [[entry.name, entry]] : inside(entry));
    Promise.all(read).then((all) => open("Dropped", all.flat())).catch((error) => rust.failed("model", String(error.message ?? error)));
  }, true);
  addEventListener("dragover", (event) => event.preventDefault());
  // A picture that was copied elsewhere opens as a photo; a text goes to the window.
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    open("Pasted", files.map((file) => [file.name, file])).catch((error) => rust.failed("model", String(error.message ?? error)));
  }, true);
  globalThis.modelensPick = (endings, folder) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    if (folder) input.webkitdirectory = true;
    // What may lie beside a model: class names, configurations, weights.
    else input.accept = [...endings.split(" "), "txt", "json", "data"].map((ending) => `.${ending}`).join(",");
    input.addEventListener("change", () => open("Chosen", [...input.files].map((file) => [file.webkitRelativePath || file.name, file])));
    times.picker = input;
    input.click();
  };
  globalThis.modelensKeep = (name, text) => {
    try {
      localStorage.setItem(`${SETTINGS}/${name}`, text);
    } catch {
      // The settings of this visit are forgotten; the page works all the same.
    }
  };

  // Keys that the window has and that a browser would take: export, the side panel, photos.
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && /^[ebo]$/i.test(event.key)) event.preventDefault();
  }, true);

  // What leaving the page would lose.
  let unsaved = false;
  globalThis.modelensUnsaved = (now) => (unsaved = now);
  addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  // Another page around this one: docs/embedding.md describes the messages.
  const allowed = query.get("embed");
  // A page that is named is told from the start; any other begins by sending a message.
  let answer_to = allowed || null;
  function tell(message, origin = answer_to) {
    if (embedded && parent !== self && origin) parent.postMessage(message, origin === "null" ? "*" : origin);
  }
  globalThis.modelensFailed = (text) => {
    (times.failed ??= []).push(text);
    tell({ modelens: "failed", text });
  };
  /** A model or photos in a message: where they open, and their files. */
  function given(what, folder) {
    const list = [what].flat().map((file) => typeof file === "string" ? { url: file } : file);
    return list.map(({ name, bytes, url }) => {
      if (typeof url === "string") {
        const found = address(url);
        return [name ? `${folder}/${clean(name)}` : path_of(found), found.href];
      }
      if (typeof name !== "string" || !(bytes instanceof ArrayBuffer || ArrayBuffer.isView(bytes) || bytes instanceof Blob)) {
        throw new Error("a file in a message has a name and bytes, or a url");
      }
      return [`${folder}/${clean(name)}`, new Blob([bytes])];
    });
  }
  /** A name without what leads out of its folder. */
  function clean(name) {
    const kept = String(name).split(/[/\\]/).filter((part) => part && part !== "." && part !== "..").join("/");
    if (!kept) throw new Error("a file in a message has no name");
    return kept;
  }
  function take({ model, photos, state }) {
    const found = { model: null, photos: null };
    const files = [];
    if (model) {
      const folder = `/Given ${++groups}`;
      const beside = [typeof model === "object" && !Array.isArray(model) ? model.beside ?? [] : []].flat();
      const [[path, source]] = given(Array.isArray(model) ? model[0] : model, folder);
      const more = given(Array.isArray(model) ? model.slice(1) : beside, folder_of(path));
      files.push([path, source], ...more.map(([other, source]) => [`${folder_of(path)}/${name_of(other)}`, source]));
      found.model = path;
    }
    if (photos) {
      const folder = `/Given ${++groups}`;
      const all = given(photos, folder);
      found.photos = all.length === 1 ? all[0][0] : folder;
      files.push(...(all.length === 1 ? all : all.map(([path, source]) => [path.startsWith(folder) ? path : `${folder}/${path.split("/").slice(-2).join("/")}`, source])));
    }
    worker.postMessage({ files });
    rust.open(files.map(([path]) => path), found.model ?? "", found.photos ?? "", state ? complete(String(state), found) : "");
  }
  if (embedded) {
    addEventListener("message", ({ source, origin, data }) => {
      // From the page around this one alone, and only from the origin that the address names, if it names one.
      if (source !== parent || source === self || data?.modelens !== "open") return;
      if (allowed && origin !== allowed) return;
      answer_to = origin;
      try {
        take(data);
      } catch (error) {
        globalThis.modelensFailed(error.message);
      }
    });
    tell({ modelens: "ready" }, allowed || "*");
  }
}
