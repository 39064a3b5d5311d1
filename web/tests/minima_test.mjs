// exact_minima.py: a NaN survives a minimum and a maximum, nothing else of a program changes, and the built page has no
// relaxed ones left.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const web = new URL("../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "modelens-minima-"));

/** What the script makes of a program. */
function exact(bytes) {
  const file = join(folder, "program.wasm");
  writeFileSync(file, bytes);
  execFileSync("python3", [join(web, "exact_minima.py"), file]);
  return readFileSync(file);
}

function assert(holds, what) {
  if (!holds) throw new Error(what);
}

const [MIN, MAX] = [[0xfd, 0x8d, 0x02], [0xfd, 0x8e, 0x02]];
const splat = (bytes) => [0x43, ...bytes, 0xfd, 19];
const [NAN, ONE] = [splat([0, 0, 0xc0, 0x7f]), splat([0, 0, 0x80, 0x3f])];
// A constant that looks like an instruction, dropped; then `instruction(NaN, 1)`.
const constant = [0xfd, 12, ...MIN, ...MAX, ...MIN, ...MAX, 0, 0, 0, 0, 0x1a];
const body = (instruction) => {
  const code = [0, ...constant, ...NAN, ...ONE, ...instruction, 0xfd, 31, 0, 0x0b];
  return [code.length, ...code];
};
const section = (kind, bytes) => [kind, bytes.length, ...bytes];
const program = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0,
  ...section(1, [1, 0x60, 0, 1, 0x7d]),
  ...section(3, [2, 0, 0]),
  ...section(7, [2, 3, 109, 105, 110, 0, 0, 3, 109, 97, 120, 0, 1]),
  ...section(10, [2, ...body(MIN), ...body(MAX)]),
]);

const checks = {
  "a NaN survives, and a constant stays"() {
    const changed = exact(program);
    const count = changed.filter((byte, i) => byte !== program[i]).length;
    assert(changed.length === program.length && count === 4, `${count} bytes have changed`);
    const { min, max } = new WebAssembly.Instance(new WebAssembly.Module(changed)).exports;
    assert(Number.isNaN(min()) && Number.isNaN(max()), `${min()}, ${max()}`);
  },
  "the built page has no relaxed minima"() {
    const file = join(web, "dist", "modelens_web_relaxed_bg.wasm");
    assert(existsSync(file), "there is no web/dist: run web/build.sh first");
    const built = readFileSync(file);
    assert(exact(built).equals(built), "the build did not replace them");
  },
};
let failed = false;
for (const [name, check] of Object.entries(checks)) {
  try {
    check();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
