// Tells the worker to give up what it computes. A message would wait until the computation ends, so for each reason the
// worker has an address that it can try to read meanwhile, and that the page revokes to give the reason.

/** The number of reasons: the bits of `modelens_jobs::Interrupts`. */
const COUNT = 5;

const address = () => URL.createObjectURL(new Blob(["1"]));

/** The side of the page. */
export class Interrupts {
  #worker;
  /** Revoked for every reason, so that the worker reads one address where nothing has happened. */
  #any = address();
  #each = Array.from({ length: COUNT }, address);

  constructor(worker) {
    this.#worker = worker;
    this.#tell();
  }

  /** Gives these reasons; the message that they announce is posted after it. */
  send(bits) {
    this.#each = this.#each.map((old, i) => (bits & (1 << i) ? this.#replaced(old) : old));
    this.#any = this.#replaced(this.#any);
    this.#tell();
  }

  #replaced(old) {
    URL.revokeObjectURL(old);
    return address();
  }

  #tell() {
    this.#worker.postMessage({ signals: { any: this.#any, each: this.#each } });
  }
}

/** The side of the worker. */
export class Heard {
  #any;
  #each = [];
  #asked = 0;
  /** Whether addresses can be read at all; a policy of the host may forbid it. */
  #works;

  /** Takes the addresses of the page's last message. */
  listen({ any, each }) {
    this.#any = any;
    this.#each = each;
  }

  /** The reasons given since the last message, each once. Reads an address at most every 50 ms. */
  bits() {
    const now = performance.now();
    if (!this.#any || now - this.#asked < 50) return 0;
    this.#works ??= can_read();
    let bits = 0;
    if (this.#works && !is_there(this.#any)) {
      this.#each.forEach((address, i) => {
        if (!address || is_there(address)) return;
        bits |= 1 << i;
        this.#each[i] = null;
      });
    }
    this.#asked = performance.now();
    return bits;
  }
}

/** Whether an address can still be read. */
function is_there(address) {
  const request = new XMLHttpRequest();
  request.open("GET", address, false);
  try {
    request.send();
    return true;
  } catch {
    return false;
  }
}

function can_read() {
  const own = address();
  const works = is_there(own);
  URL.revokeObjectURL(own);
  return works;
}
