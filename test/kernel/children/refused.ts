/** Tries what needs privileges and prints, as JSON, the messages of the refusals. */
import { UscopeError } from "../../../src/base/errors.js";
import { Features } from "../../../src/kernel/features.js";
import { createMap } from "../../../src/kernel/maps.js";
import { openProcessEvents } from "../../../src/kernel/perf-events.js";
import { missingCapabilities, readPrivileges } from "../../../src/kernel/privileges.js";
import { loadProgram } from "../../../src/kernel/programs.js";
import { countsMap, emptyProgram } from "../programs.js";

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
    return "nothing was refused";
  } catch (error) {
    if (error instanceof UscopeError) return error.message;
    throw error;
  }
}

const privileges = readPrivileges();
const features = new Features();
console.log(
  JSON.stringify({
    map: messageOf(() => createMap(countsMap)),
    program: messageOf(() => loadProgram(emptyProgram(), new Map(), { multi: true })),
    processes: messageOf(() => openProcessEvents({ onFork() {} })),
    multi: features.availability("uprobe_multi"),
    ring: features.availability("ring buffer"),
    initial: privileges.initialUserNamespace,
    missing: missingCapabilities(privileges, "attach by uprobe_multi"),
    capabilities: [...privileges.capabilities],
  }),
);
