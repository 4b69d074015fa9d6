/** What a run leaves when it cannot begin. */
import { readdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { prepare } from "../../src/trace/prepare.js";
import { Run } from "../../src/trace/run.js";
import { Session } from "../../src/trace/session.js";
import { needs } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const countDescriptors = (): number => readdirSync("/proc/self/fd").length;

describe.runIf(needs("uprobe_multi", "process events"))("a run that cannot begin", () => {
  test("leaves nothing open", async () => {
    using prepared = await prepare({
      probes: [`${compile("calls.c", ["-O2"])}:alpha "%U", arg1`],
      pids: [process.pid],
      children: true,
      includeSelf: false,
      launched: false,
      textLimit: 80,
      stacks: { user: false, kernel: false },
      cpuColumn: false,
      force: [],
      attach: undefined,
      bufferPages: undefined,
      statistics: false,
    });
    const session = new Session(prepared.session);
    session[Symbol.dispose]();
    const before = countDescriptors();
    const limits = { children: true, includeSelf: false, budgetPercent: undefined };
    // Why it cannot: a closed session has no map of members.
    expect(() => new Run(limits, prepared, session, undefined)).toThrow();
    // Why: an end that the event loop takes part in is over when it has turned.
    await turn();
    await turn();
    expect(countDescriptors()).toBe(before);
  });
});
