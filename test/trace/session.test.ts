/** What stands in the kernel when it refuses places that nothing was known against, and when one file comes as two. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { FileOffset } from "../../src/base/bytes.js";
import { KernelError } from "../../src/base/errors.js";
import { attachMulti, attachPmu, RefusedPlaceError } from "../../src/kernel/uprobes.js";
import type { UprobeLink, UprobeRequest, UprobeSite } from "../../src/kernel/uprobes.js";
import { siteOf } from "../../src/lang/event.js";
import { openBinary } from "../../src/target/binary.js";
import type { Binary } from "../../src/target/binary.js";
import { arm } from "../../src/trace/arm.js";
import type { Arm } from "../../src/trace/growth.js";
import { prepare } from "../../src/trace/prepare.js";
import type { Prepared, PrepareRequest } from "../../src/trace/prepare.js";
import { Session } from "../../src/trace/session.js";
import type { SessionRequest } from "../../src/trace/session.js";
import { thisKernel } from "../../src/trace/way.js";
import type { AttachWay } from "../../src/trace/way.js";
import { bpftoolCounts, converse, fileOffsetOf, fits, needs, onX86 } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const binary = compile("calls.c", ["-O2"]);
const ways: readonly AttachWay[] = ["uprobe_multi", "pmu"];
/** What instruction-forms.c and the table of instructions say of a LOCK prefix. */
const refusal = "the kernel cannot put a probe on the instruction there (ENOTSUPP: operation not supported)";

const refusedPlace = new KernelError({
  what: "no descriptor",
  at: "a test",
  fix: "none",
  call: "bpf BPF_LINK_CREATE uprobe_multi",
  errno: 5,
});

function openLibrary(): Binary {
  return openBinary(compile("late-library.c", ["-O2", "-shared", "-fPIC"]));
}

function prepareProbe(probe: string, pids: readonly number[], attach: AttachWay): Promise<Prepared> {
  const request: PrepareRequest = {
    probes: [probe],
    pids,
    children: false,
    includeSelf: false,
    launched: false,
    textLimit: 80,
    stacks: { user: false, kernel: false },
    cpuColumn: false,
    force: [],
    attach,
    bufferPages: undefined,
    statistics: false,
  };
  return prepare(request);
}

/** The session with more places of functions behind the first one, each with the next number. */
function withPlaces(session: SessionRequest, functions: readonly string[]): SessionRequest {
  const [attachment] = session.attachments;
  const [first, ...others] = attachment!.sites;
  const more = functions.map((name, index): UprobeSite => {
    return { offset: fileOffsetOf(binary, name), semaphore: undefined, cookie: 1 + others.length + index };
  });
  return { ...session, attachments: [{ ...attachment!, sites: [first!, ...more, ...others] }] };
}

describe.runIf(onX86() && needs("attach cookie", "perf_event links", "uprobe_multi")).each(ways)(
  "a place that the kernel refuses, by %s",
  (way) => {
    it("is left out, and the others count every hit", async () => {
      await using target = converse(binary);
      await target.line();
      using prepared = await prepareProbe(`${binary}:[ab]*[ha]`, [target.child.pid!], way);
      expect(prepared.plan.sites.map(({ label }) => label).sort()).toEqual(["alpha", "beta"]);
      using session = new Session(withPlaces(prepared.session, ["locked", "undecodable"]));
      expect(session.refused).toEqual([
        { site: 2, reason: refusal },
        { site: 3, reason: "the kernel cannot decode the instruction there (ENOEXEC: exec format error)" },
      ]);
      expect(session.armed).toEqual({ places: 2, files: 1 });
      target.say("5 3");
      await target.line();
      expect(session.gathered.counters(0).hits).toBe(8n);
    });

    it("is left out in every process", async () => {
      await using first = converse(binary);
      await using second = converse(binary);
      await first.line();
      await second.line();
      const pids = [first.child.pid!, second.child.pid!];
      using prepared = await prepareProbe(`${binary}:alpha`, pids, way);
      using session = new Session(withPlaces(prepared.session, ["locked"]));
      expect(session.refused).toEqual([{ site: 1, reason: refusal }]);
      expect(session.armed).toEqual({ places: 1, files: 1 });
      for (const target of [first, second]) {
        target.say("5 0");
        await target.line();
      }
      expect(session.gathered.counters(0).hits).toBe(10n);
    });

    it("is the error where it is the only one, and nothing is left behind", async () => {
      await using target = converse(binary);
      await target.line();
      using prepared = await prepareProbe(`${binary}:alpha`, [target.child.pid!], way);
      const name = prepared.session.attachments[0]!.program.name;
      const before = bpftoolCounts(name);
      const [attachment] = prepared.session.attachments;
      const locked: UprobeSite = { ...attachment!.sites[0]!, offset: fileOffsetOf(binary, "locked") };
      const attachments = [{ ...attachment!, sites: [locked] }];
      expect(() => new Session({ ...prepared.session, attachments })).toThrow(RefusedPlaceError);
      expect(bpftoolCounts(name).links).toBe(before.links);
    });

    it("is among the skipped ones of a trace, and not among the armed ones", async () => {
      await using target = converse(binary);
      await target.line();
      const locked = fileOffsetOf(binary, "locked");
      const beta = fileOffsetOf(binary, "beta");
      // Moves beta to a place that the decoder would not let pass.
      const misled =
        (attach: (request: UprobeRequest) => UprobeLink) =>
        (request: UprobeRequest): UprobeLink => {
          const moved = new Map(
            request.sites.map((site) => [site.offset === beta ? { ...site, offset: locked } : site, site]),
          );
          try {
            return attach({ ...request, sites: [...moved.keys()] });
          } catch (error) {
            if (!(error instanceof RefusedPlaceError)) throw error;
            throw new RefusedPlaceError(error, moved.get(error.site)!);
          }
        };
      const kernel = { ...thisKernel, attachMulti: misled(attachMulti), attachPmu: misled(attachPmu) };
      await using armed = await arm({
        probes: [`${binary}:[ab]*[ha]`],
        pids: [target.child.pid!],
        attach: way,
        kernel,
      });
      expect(armed.skipped).toEqual([{ probe: 0, name: "beta", reason: refusal }]);
      expect(armed.armed).toMatchObject({ places: 1, files: 1, way });
    });
  },
);

it.runIf(onX86() && needs("attach cookie", "perf_event links"))(
  "a session ends when the kernel refuses more than sixteen places",
  async () => {
    await using target = converse(binary);
    await target.line();
    using prepared = await prepareProbe(`${binary}:alpha`, [target.child.pid!], "pmu");
    const sixteen = withPlaces(prepared.session, Array<string>(16).fill("locked"));
    {
      using session = new Session(sixteen);
      expect(session.refused).toHaveLength(16);
      expect(session.armed).toEqual({ places: 1, files: 1 });
    }
    const more = withPlaces(prepared.session, Array<string>(17).fill("locked"));
    expect(() => new Session(more)).toThrow(refusal);
  },
);

const folder = mkdtempSync(join(tmpdir(), "uscope-overlay-"));
for (const name of ["lower", "empty", "merged"]) mkdirSync(join(folder, name));
copyFileSync(binary, join(folder, "lower", "calls"));
const merged = join(folder, "merged", "calls");
afterAll(() => rmSync(folder, { recursive: true }));

/** Words that run a command with an overlay mount of its own over the folder, as each container has one over its image. */
function withOverlay(...words: readonly string[]): [command: string, args: string[]] {
  const script = 'mount -t overlay none -o "lowerdir=$0/lower:$0/empty" "$0/merged" && exec "$@"';
  return ["unshare", ["-m", "sh", "-c", script, folder, ...words]];
}

function findOverlayObstacle(): string | undefined {
  try {
    execFileSync(...withOverlay("test", "-x", merged), { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split("\n").at(-1);
  }
}

const obstacle = findOverlayObstacle();
const hasOverlay = fits(obstacle && `overlayfs cannot be mounted here: ${obstacle}`);

describe.runIf(hasOverlay && needs("attach cookie", "perf_event links", "uprobe_multi")).each(ways)(
  "one file through two overlay mounts, by %s",
  (way) => {
    it.each([
      { name: "two processes", others: 0, children: false, armed: { places: 2, files: 2 } },
      { name: "two processes and their children", others: 0, children: true, armed: { places: 1, files: 1 } },
      {
        name: "more processes than are compared one by one",
        others: 7,
        children: false,
        armed: { places: 1, files: 1 },
      },
    ])("reports every hit once: $name", async ({ others, children, armed: expected }) => {
      await using first = converse(...withOverlay(merged));
      await using second = converse(...withOverlay(merged));
      const rest = Array.from({ length: others }, () => converse(...withOverlay(merged)));
      const targets = [first, second, ...rest];
      try {
        for (const target of targets) await target.line();
        const pids = targets.map(({ child }) => child.pid!);
        const devices = pids.map((pid) => statSync(`/proc/${pid}/root${merged}`).dev);
        expect(new Set(devices).size).toBe(targets.length);
        await using armed = await arm({ probes: [`${merged}:alpha`], pids, children, attach: way });
        expect(armed.armed).toMatchObject(expected);
        for (const [index, target] of [first, second].entries()) {
          target.say(`${5 + index} 0`);
          await target.line();
        }
        expect(armed.counters()[0]!.hits).toBe(11n);
      } finally {
        for (const target of rest) await target[Symbol.asyncDispose]();
      }
    });
  },
);

describe.runIf(needs("attach cookie", "perf_event links", "uprobe_multi"))("what is added later", () => {
  it("leaves nothing behind when it fails, and may be refused sixteen places each time", async () => {
    await using target = converse(binary);
    await target.line();
    using prepared = await prepareProbe(`${binary}:alpha`, [target.child.pid!], "pmu");
    const [attachment] = prepared.session.attachments;
    const [site] = attachment!.sites;
    const refused = { ...site!, offset: 1 as FileOffset };
    const fatal = { ...site!, offset: 2 as FileOffset };
    const attach = (request: UprobeRequest): UprobeLink => {
      const { offset } = request.sites[0]!;
      if (offset === refused.offset) throw new RefusedPlaceError(refusedPlace, request.sites[0]!);
      if (offset === fatal.offset) throw new Error("fatal");
      return attachPmu(request);
    };
    const kernel = { ...thisKernel, attachPmu: attach };
    using session = new Session({ ...prepared.session, kernel, attachments: [] });
    const { name } = attachment!.program;
    const before = bpftoolCounts(name).links;
    const add = (...sites: readonly UprobeSite[]): unknown => session.add([{ ...attachment!, sites }]);
    expect(() => add(site!, refused, fatal)).toThrow("fatal");
    expect(session.refused).toEqual([]);
    expect(session.armed).toEqual({ places: 0, files: 0 });
    expect(bpftoolCounts(name).links).toBe(before);
    const sixteen = Array.from({ length: 16 }, () => ({ ...refused }));
    for (let round = 0; round < 2; round++) expect(add(site!, ...sixteen)).toHaveLength(16);
    expect(session.armed).toEqual({ places: 2, files: 1 });
  });

  it("is as if it had never been when its places cannot be armed", async () => {
    await using target = converse(binary);
    await target.line();
    using prepared = await prepareProbe("u::late:worked", [target.child.pid!], "uprobe_multi");
    const growth = prepared.growth!;
    const take = (arm: Arm): ReturnType<typeof growth.take> =>
      growth.take(openLibrary(), target.child.pid!, arm);
    const failing = await take(() => {
      throw refusedPlace;
    });
    expect(failing).toMatchObject({ places: 0, skipped: [{ reason: refusedPlace.what }] });
    expect(growth.isWaiting).toBe(true);
    const taken = await take((attachments) => [
      { site: siteOf(attachments[0]!.sites[0]!.cookie), reason: "not this one" },
    ]);
    expect(taken).toMatchObject({ places: 0, skipped: [{ reason: "not this one" }] });
    expect(growth.isWaiting).toBe(false);
  });
});
