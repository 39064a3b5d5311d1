// A file of the web, with progress; the browser caches it.

/** Bytes as a person reads them. */
const size = (bytes) => bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(0)} MB`;

/**
 * The bytes at an address, relative to the page's scripts. `progress(done, total)` is called for each part of them,
 * `most` is the most bytes that are taken, `signal` stops it. Fails with a sentence.
 */
export async function fetched(address, progress = () => {}, { most = Infinity, signal } = {}) {
  const url = new URL(address, import.meta.url);
  const name = url.pathname.split("/").pop();
  const fail = (why) => {
    throw new Error(`${name} could not be fetched (${why}): ${url.href}`);
  };
  const large = (bytes) => {
    throw new Error(`${name} has ${bytes}, and the page takes at most ${size(most)}: ${url.href}`);
  };
  // A browser does not tell a script why it was refused.
  const answer = await fetch(url, { signal }).catch((error) => {
    if (signal?.aborted) throw error;
    const other = url.origin !== self.location.origin;
    fail(other ? "the server can't be reached, or doesn't let other pages read this file (CORS)" : "the server can't be reached");
  });
  if (!answer.ok) fail(`the server answers ${answer.status} ${answer.statusText}`.trim());
  const said = Number(answer.headers.get("content-length")) || 0;
  if (said > most) large(size(said));
  const parts = [];
  let done = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { value, done: ended } = await reader.read().catch((error) => {
      if (signal?.aborted) throw error;
      fail(`the connection was lost (${error.message})`);
    });
    if (ended) break;
    parts.push(value);
    done += value.length;
    if (done > most) {
      await reader.cancel();
      large(`more than ${size(most)}`);
    }
    progress(done, Math.max(said, done));
  }
  // Of a compressed answer, the length is that of what was sent.
  if (done < said && !answer.headers.get("content-encoding")) fail(`${done} of ${said} bytes arrived`);
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts.splice(0)) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
