// The programs that the checks of the page are compared with.
import { execFileSync } from "node:child_process";

const root = new URL("../../", import.meta.url).pathname;

/** Builds a program, of a `kind` of `cargo build` ("--bin", "--example"), and returns its path. */
export function built(kind, name) {
  // The whole workspace, so that its dependencies are those of the tests.
  const options = ["build", "--locked", "--quiet", "--workspace", kind, name, "--message-format", "json"];
  const said = execFileSync("cargo", options, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  const made = said.split("\n").filter((line) => line.startsWith("{")).map(JSON.parse);
  return made.find(({ target, executable }) => target?.name === name && executable).executable;
}
