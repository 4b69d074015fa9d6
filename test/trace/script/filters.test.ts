/** Whom an observation sees: one thread, the processes of a user, those of a cgroup; each beside others that call the same function. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counter, observe, uprobe } from "../../../src/index.js";
import type { ObserveOptions } from "../../../src/index.js";
import { allowed, fits, needs } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";

const threads = compile("threads.c", ["-O1", "-pthread"]);
const root = /^\S+ \S+ \S+ \/ (\S+) .* - cgroup2 /m.exec(readFileSync("/proc/self/mountinfo", "utf8"))?.[1];
const nobody = 65_534;

/** The threads, and their processes and users, whose calls are counted in a moment. */
async function seenBy(options: ObserveOptions) {
  const calls = counter({ key: { pid: "u32", tid: "u32", uid: "u32" } });
  const hits = uprobe(
    `${threads}:hit`,
    (p, { calls }) => {
      calls.add({ pid: p.pid, tid: p.tid, uid: p.uid });
    },
    { using: { calls } },
  );
  await using observation = observe(hits, { ...options, seconds: 0.3 });
  await observation.ended;
  return (await observation.read(calls)).map(({ key }) => key);
}

function numbersOf(values: readonly number[]): readonly number[] {
  return [...new Set(values)].sort((one, other) => one - other);
}

/** Its threads but the first, which only waits for them. */
async function callersOf(pid: number): Promise<readonly number[]> {
  for (;;) {
    const all = readdirSync(`/proc/${pid}/task`).map(Number);
    if (all.length === 3) return numbersOf(all.filter((tid) => tid !== pid));
    await sleep(5);
  }
}

describe.runIf(needs("ring buffer"))("an observation sees", () => {
  const started: ChildProcess[] = [];

  /** Two threads that call all the time. */
  function start(options: { readonly uid?: number } = {}): number {
    const child = spawn(threads, ["2", "2000000000"], { stdio: "ignore", ...options });
    started.push(child);
    return child.pid!;
  }

  async function end(): Promise<void> {
    for (const child of started.splice(0)) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }

  afterAll(end);

  it("one thread of a process", async () => {
    const [first, second] = await callersOf(start());
    const seen = await seenBy({ tid: second! });
    expect(seen.map(({ tid }) => tid)).toEqual([second]);
    expect((await seenBy({ tid: first! })).map(({ tid }) => tid)).toEqual([first]);
    await end();
  });

  it.runIf(allowed(process.getuid?.() === 0, "only root starts programs of other users"))(
    "the processes of a user",
    async () => {
      const [own, other] = [start(), start({ uid: nobody })];
      expect(numbersOf((await seenBy({ uid: nobody })).map(({ pid }) => pid))).toEqual([other]);
      expect(new Set((await seenBy({ uid: nobody })).map(({ uid }) => uid))).toEqual(new Set([nobody]));
      expect(numbersOf((await seenBy({ uid: 0 })).map(({ pid }) => pid))).toEqual([own]);
      expect(numbersOf((await seenBy({})).map(({ pid }) => pid))).toEqual(numbersOf([own, other]));
      await end();
    },
  );

  describe.runIf(
    fits(root === undefined ? "no cgroup2 file system is mounted" : undefined) && needs("cgroup filter"),
  )("the processes of a cgroup", () => {
    const outer = join(root ?? "/", `uscope-filters-${process.pid}`);
    const inner = join(outer, "inner");

    beforeAll(() => [outer, inner].forEach((folder) => mkdirSync(folder)));

    afterAll(async () => {
      await end();
      for (const folder of [inner, outer]) {
        // Why: the kernel lets a cgroup go only when its last process has been buried.
        for (let attempt = 0; attempt < 100; attempt++) {
          try {
            rmdirSync(folder);
            break;
          } catch {
            await sleep(20);
          }
        }
      }
    });

    it("and of those below it, and no others", async () => {
      const [inOuter, inInner, outside] = [start(), start(), start()];
      writeFileSync(join(outer, "cgroup.procs"), String(inOuter));
      writeFileSync(join(inner, "cgroup.procs"), String(inInner));
      const pidsIn = async (cgroup: string) => numbersOf((await seenBy({ cgroup })).map(({ pid }) => pid));
      expect(await pidsIn(inner)).toEqual([inInner]);
      expect(await pidsIn(outer)).toEqual(numbersOf([inOuter, inInner]));
      expect(await pidsIn(root!)).toEqual(numbersOf([inOuter, inInner, outside]));
    });

    it("that is not there is an error", async () => {
      await using observation = observe(
        uprobe(`${threads}:hit`, (p) => p.pid),
        { cgroup: join(outer, "nobody") },
      );
      await expect(observation.armed).rejects.toThrow(/^no cgroup ".*nobody"\n/);
    });
  });
});
