/** Owns the demo: traces a small Node program, under a private copy of node, and says in a line what is seen. */
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { say, setUp } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = `
  const fs = require("node:fs");
  setInterval(() => {
    for (const name of ["/etc/hostname", "/etc/passwd", "/no/such/file"]) try { fs.closeSync(fs.openSync(name)); } catch {}
  }, 200);
`;

try {
  await setUp();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), "uscope-demo-"));
// Why a copy: probes go by file, and nothing else on this machine runs this one.
const copy = join(folder, "node");
copyFileSync(process.execPath, copy);
const watched = spawn(copy, ["-e", program], { stdio: "ignore" });
try {
  const words = ["trace", "-p", String(watched.pid), "-M", "6", "-d", "20", `${copy}:uv_fs_open "%s", arg3`];
  say(
    "a Node program looks at three files five times a second; uscope shows each attempt to open one, from outside:",
  );
  say(`uscope trace -p ${watched.pid} -M 6 'node:uv_fs_open "%s", arg3'`);
  const { status } = spawnSync(process.execPath, [join(root, "bin/uscope"), ...words], { stdio: "inherit" });
  if (status === 0)
    say(
      "each line is one call of libuv's uv_fs_open in the running program: arg3 is the path, read from its memory",
    );
  else if (process.getuid?.() !== 0) say("tracing needs privileges: try sudo npm run demo");
  process.exitCode = status ?? 1;
} finally {
  watched.kill();
  rmSync(folder, { recursive: true, force: true });
}
