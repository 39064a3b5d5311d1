// A file beside the page, with progress; the browser caches it.
export async function fetched(name, progress) {
  const failed = (why) => new Error(`${name} could not be fetched (${why}). Check the connection.`);
  const answer = await fetch(new URL(name, import.meta.url)).catch((error) => {
    throw failed(error.message);
  });
  if (!answer.ok) throw failed(`the server answered ${answer.status} ${answer.statusText}`.trim());
  // Of a compressed answer it is the compressed length.
  const whole = !answer.headers.get("content-encoding");
  const total = Number(answer.headers.get("content-length")) || 0;
  const parts = [];
  let done = 0;
  for (const reader = answer.body.getReader(); ; ) {
    const { value, done: ended } = await reader.read().catch((error) => {
      throw failed(error.message);
    });
    if (ended) break;
    parts.push(value);
    done += value.length;
    progress(name, done, Math.max(total, done));
  }
  if (whole && done < total) throw failed(`${done} of ${total} bytes arrived`);
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
