/** Arms one place and waits to be killed: BINARY OFFSET NAME MULTI. */
import type { FileOffset } from "../../../src/base/bytes.js";
import { loadProgram } from "../../../src/kernel/programs.js";
import { attachMulti, attachPmu } from "../../../src/kernel/uprobes.js";
import { emptyProgram } from "../programs.js";

const [binary, offset, name, multi] = process.argv.slice(2) as [string, string, string, string];
const program = loadProgram(emptyProgram(name), new Map(), { multi: multi === "true" });
const attach = program.multi ? attachMulti : attachPmu;
const link = attach({
  program,
  openPath: binary,
  shownPath: binary,
  sites: [{ offset: Number(offset) as FileOffset, semaphore: undefined, cookie: 0 }],
  returns: false,
  pid: undefined,
});
console.log("armed");
setInterval(() => link.sites, 1000);
