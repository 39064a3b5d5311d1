// The two builds of the program. One uses relaxed SIMD, whose multiply-adds are fused where the processor can; a
// browser without it rejects the whole file, and gets the other.

/** The least module that uses a relaxed instruction: one multiply-add. */
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
  65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
];

/** The name of the build for this browser; `?plain` in the page's address asks for the one that every browser runs. */
export const build = () =>
  WebAssembly.validate(new Uint8Array(RELAXED)) && !new URLSearchParams(location.search).has("plain") ? "modelens_web_relaxed" : "modelens_web";

/** The JavaScript of a build. */
export async function program(build) {
  try {
    return await (build === "modelens_web_relaxed" ? import("./modelens_web_relaxed.js") : import("./modelens_web.js"));
  } catch {
    throw new Error(`${build}.js could not be fetched. Check the connection and load the page again.`);
  }
}
