import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createMap, sumPerCpu } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { openRingBuffer } from "../../src/kernel/ringbuffer.js";
import { attachMulti } from "../../src/kernel/uprobes.js";
import { pidAt, timeAt } from "../../src/lang/event.js";
import { compile as compileProbe } from "../lang/support.js";
import { allowed, converse, fileOffsetOf, needs } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const binary = compile("never-served.c", ["-O1", "-Wall"]);

describe.runIf(needs("ring buffer", "attach cookie", "uprobe_multi", "sleepable programs"))(
  "a thread that sleeps in a page fault",
  () => {
    it.each([
      { what: "a text", source: 'x:show "%s", arg1' },
      { what: "a text of a length", source: 'x:show "%.*s", 4, arg1' },
      { what: "a number", source: 'x:show "%d %s", *(int *)arg2, arg1' },
      { what: "a predicate", source: 'x:show (*(char *)arg1 == 116) "%s", arg1' },
    ])("holds back nobody else's events: $what", async ({ source }) => {
      const probe = compileProbe(source, { sleepable: true });
      expect(probe.programs[0]!.sleepable).toBe(true);
      const maps = new Map(probe.maps.map((spec) => [spec.name, createMap(spec)]));
      try {
        using program = loadProgram(probe.programs[0]!, maps, { multi: true });
        using ring = openRingBuffer(maps.get("events")!);
        await using sleeper = converse(binary, ["sleep", "both"]);
        await using ticker = converse(binary, ["tick"]);
        const greetings = [await sleeper.line(), await ticker.line()];
        if (!allowed(greetings[0] !== "not permitted", "userfaultfd is not permitted: it needs root")) return;
        using _link = attachMulti({
          program,
          openPath: binary,
          shownPath: binary,
          sites: [{ offset: fileOffsetOf(binary, "show"), semaphore: undefined, cookie: 0 }],
          returns: false,
          pid: undefined,
        });
        try {
          sleeper.say("once");
          await untilFaulting(sleeper.child.pid!);
          ticker.say("repeat");
          for (let shown = 0; shown < 10; shown++) await ticker.line();
          const view = new DataView(ring.bytes.buffer, ring.bytes.byteOffset);
          const seen: { pid: number; time: bigint }[] = [];
          ring.read((start) =>
            seen.push({
              pid: view.getUint32(start + pidAt, true),
              time: view.getBigUint64(start + timeAt, true),
            }),
          );
          ring.release();
          expect(seen.length).toBeGreaterThanOrEqual(10);
          expect(new Set(seen.map(({ pid }) => pid))).toEqual(new Set([ticker.child.pid]));
          expect(seen.map(({ time }) => time)).toEqual(seen.map(({ time }) => time).toSorted(compareTimes));
          const counters = maps.get("counters")!;
          const counts = sumPerCpu(counters.splitPerCpu(counters.lookup(new Uint8Array(4))!));
          expect(counts.slice(1)).toEqual([0n, 0n, 0n]);
        } finally {
          // Why: closing the link waits for whoever is in the program.
          await sleeper[Symbol.asyncDispose]();
        }
      } finally {
        for (const map of maps.values()) map[Symbol.dispose]();
      }
    });
  },
);

function compareTimes(one: bigint, other: bigint): number {
  return one < other ? -1 : Number(one > other);
}

/** Waits until the thread sleeps in userfaultfd's handler. */
async function untilFaulting(pid: number): Promise<void> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await sleep(10)) {
    if (readFileSync(`/proc/${pid}/stack`, "utf8").includes("handle_userfault")) return;
  }
  throw new Error(`process ${pid} does not wait for its page`);
}
