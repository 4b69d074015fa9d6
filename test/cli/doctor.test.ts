import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { features } from "../../src/kernel/features.js";
import { copyPackage, runCli } from "../support/cli.js";
import type { CliResult } from "../support/cli.js";
import { fits, needs, settledCounts } from "../support/kernel.js";
import { compile } from "../support/programs.js";

interface Report {
  readonly tracing: boolean;
  readonly way: string;
  readonly causes: readonly { readonly what: string; readonly at: string | null }[];
  readonly fixes: readonly { readonly where: string | null; readonly line: string }[];
  readonly kernel: { readonly release: string };
  readonly features: readonly { readonly name: string; readonly since: string; readonly here: string }[];
  readonly steps: readonly {
    readonly name: string;
    readonly works: boolean;
    readonly missing_capabilities: readonly string[];
    readonly refusal: { readonly what: string } | null;
  }[];
  readonly abilities: readonly {
    readonly what: string;
    readonly works: boolean;
    readonly why: string | null;
  }[];
  readonly privileges: { readonly capabilities: readonly string[]; readonly seccomp: number };
}

/** A user without privileges, who may not be able to read the checkout. */
const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
const bpfAndPerfmon = ["--inh-caps", "+bpf,+perfmon", "--ambient-caps", "+bpf,+perfmon"];
/** Hides a file system from one command. */
const without = (folder: string): string[] => {
  return ["unshare", "--mount", "sh", "-c", `mount -t tmpfs none ${folder} && exec "$@"`, "sh"];
};

/** Whether node itself is installed where that user may run it, and not in somebody's home. */
const isNobodyServed =
  spawnSync(nobody[0]!, [...nobody.slice(1), process.execPath, "--version"]).status === 0;
const canBeNobody =
  needs("uprobe_multi") && fits(isNobodyServed ? undefined : `only root can run ${process.execPath}`);

let copy: ReturnType<typeof copyPackage>;
beforeAll(() => {
  copy = copyPackage();
});
afterAll(() => copy[Symbol.dispose]());

const page = (prefix: readonly string[] = []): Promise<CliResult> => {
  return runCli(["doctor"], { prefix, root: copy.root });
};

async function report(
  prefix: readonly string[] = [],
): Promise<Report & { readonly status: number | undefined }> {
  const { stdout, stderr, status } = await runCli(["doctor", "--json"], { prefix, root: copy.root });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return { ...(JSON.parse(stdout) as Report), status };
}

function worksBy({ steps }: Report): Record<string, boolean> {
  return Object.fromEntries(steps.map(({ name, works }) => [name, works]));
}

describe.runIf(needs("uprobe_multi"))("as root", () => {
  test("every step works, the exit code says so, and nothing stays loaded", async () => {
    const before = await settledCounts({ programs: 0, links: 0 }, "uscope_rehearse");
    const found = await report();
    expect(found.steps.filter(({ works }) => !works)).toEqual([]);
    expect(found.abilities.filter(({ works }) => !works)).toEqual([]);
    expect(found).toMatchObject({ status: 0, tracing: true, way: "uprobe_multi", causes: [], fixes: [] });
    expect(await settledCounts(before, "uscope_rehearse")).toEqual(before);
  });

  test("features and privileges are those that bpftool, uname and setpriv see", async () => {
    const found = await report();
    const here = (name: keyof typeof features): boolean =>
      found.features.find((feature) => feature.name === name)?.here === "yes";
    const bpftool = JSON.parse(
      execFileSync("bpftool", ["-j", "feature", "probe", "kernel"], { encoding: "utf8" }),
    ) as {
      readonly map_types: { readonly have_ringbuf_map_type: boolean };
      readonly helpers: { readonly kprobe_available_helpers: readonly string[] };
    };
    const helpers = bpftool.helpers.kprobe_available_helpers;
    expect(here("ring buffer")).toBe(bpftool.map_types.have_ringbuf_map_type);
    expect(here("attach cookie")).toBe(helpers.includes("bpf_get_attach_cookie"));
    expect(here("cgroup filter")).toBe(helpers.includes("bpf_get_current_ancestor_cgroup_id"));
    expect(found.kernel.release).toBe(execFileSync("uname", ["-r"], { encoding: "utf8" }).trim());
    const dump = execFileSync("setpriv", ["--dump", "--dump"], { encoding: "utf8" });
    const effective = /^Effective capabilities: (.*)$/m.exec(dump)![1]!.split(",");
    expect(found.privileges.capabilities.map((name) => name.replace("CAP_", "").toLowerCase())).toEqual(
      effective,
    );
  });

  test("the page names every feature with its version, in straight columns and without colours", async () => {
    const { stdout, stderr, status } = await page();
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(stdout.startsWith(`Linux ${release()} `)).toBe(true);
    expect(stdout).toContain(
      "\nVERDICT: uscope trace works here, with all that it can do; it attaches by uprobe_multi.\n",
    );
    expect(stdout).not.toContain("\u001b");
    expect(stdout).not.toMatch(/ $/m);
    const lines = stdout.split("\n");
    const head = lines.find((line) => line.startsWith("KERNEL FEATURE"))!;
    for (const [name, { since, usedFor }] of Object.entries(features)) {
      const line = lines.find((line) => line.startsWith(`${name}  `));
      expect(line?.slice(head.indexOf("SINCE"), head.indexOf("HERE")).trim()).toBe(since);
      expect(line?.slice(head.indexOf("HERE"), head.indexOf("USED FOR")).trim()).toBe("yes");
      expect(line?.slice(head.indexOf("USED FOR"))).toBe(usedFor);
    }
  });
});

describe.runIf(canBeNobody)("with less than root", () => {
  test("a user without privileges learns what is missing for what", async () => {
    const { stdout, stderr, status } = await page(nobody);
    expect({ stderr, status }).toEqual({ stderr: "", status: 1 });
    expect(stdout).toContain(
      "VERDICT: uscope trace does not work here.\n  why: this process lacks CAP_BPF and CAP_PERFMON\n",
    );
    expect(stdout).toMatch(/^create maps +no .* CAP_BPF$/m);
    expect(stdout).toMatch(/^load programs +no .* CAP_BPF CAP_PERFMON$/m);
    expect(stdout).toMatch(/^attach by uprobe_multi +no .* CAP_BPF CAP_PERFMON$/m);
    expect(stdout).toMatch(/^attach by the uprobe PMU +no .* CAP_SYS_ADMIN$/m);
    expect(stdout).toMatch(/^look into processes of other users +no .* CAP_SYS_PTRACE$/m);
    expect(stdout).toMatch(/^read kernel symbols +no .* CAP_SYSLOG$/m);
    expect(stdout).toMatch(/^ring buffer +5\.8 +\? /m);
    expect(stdout).toMatch(/^uprobe_multi +6\.6 +yes /m);
    expect(stdout).toMatch(/^CAP_SYSLOG +missing +needed to read kernel symbols$/m);
  });

  test("CAP_BPF and CAP_PERFMON suffice to trace, and the rest is named", async () => {
    const found = await report([...nobody, ...bpfAndPerfmon]);
    expect(found).toMatchObject({ status: 0, tracing: true, causes: [] });
    expect(found.privileges.capabilities).toEqual(["CAP_PERFMON", "CAP_BPF"]);
    expect(worksBy(found)).toEqual({
      "create maps": true,
      "load programs": true,
      "attach by uprobe_multi": true,
      "attach by the uprobe PMU": false,
      "watch new processes": true,
      "look into processes of other users": false,
      "read kernel symbols": false,
    });
    const failing = found.abilities.filter(({ works }) => !works);
    expect(failing.map(({ what, why }) => `${what}: ${why}`)).toEqual([
      "-p and -U on processes of other users: this process lacks CAP_SYS_PTRACE",
      "%K with names: this process lacks CAP_SYSLOG",
      "--attach pmu: this process lacks CAP_SYS_ADMIN",
    ]);
  });

  test("CAP_BPF alone makes maps and no more", async () => {
    const found = await report([...nobody, "--inh-caps", "+bpf", "--ambient-caps", "+bpf"]);
    expect(found).toMatchObject({ status: 1, causes: [{ what: "this process lacks CAP_PERFMON" }] });
    expect(worksBy(found)).toMatchObject({ "create maps": true, "load programs": false });
  });

  test.each(["CAP_BPF and CAP_PERFMON", "all"])(
    "the advice for a user without root works, to get %s",
    async (what) => {
      const { fixes } = await report(what === "all" ? [...nobody, ...bpfAndPerfmon] : nobody);
      const advice = fixes.find(({ where }) => where === "as yourself")!.line;
      const prefix = advice
        .replace(/^sudo (.*) uscope trace \.\.\.$/, "$1")
        .replaceAll(/\$\(id -[ug]\)/g, "65534")
        .split(" ");
      const found = await report(prefix);
      expect(found.tracing).toBe(true);
      expect(found.abilities.every(({ works }) => works)).toBe(what === "all");
    },
  );
});

describe.runIf(needs("uprobe_multi"))("in containers", () => {
  test("root of a user namespace of its own cannot trace", async () => {
    const found = await report(["unshare", "--user", "--map-root-user"]);
    expect(found.status).toBe(1);
    expect(found.privileges.capabilities).toContain("CAP_BPF");
    expect(found.causes).toEqual([
      {
        what: "this process lives in a user namespace of its own, and holds no CAP_BPF and CAP_PERFMON outside of it",
        at: null,
      },
    ]);
    expect(worksBy(found)).toMatchObject({ "create maps": false, "read kernel symbols": false });
  });

  test("in a pid namespace of its own probes work, but process ids are the host's", async () => {
    const found = await report(["unshare", "--pid", "--mount", "--fork", "--mount-proc"]);
    expect(found.status).toBe(0);
    expect(found.abilities.filter(({ works }) => !works)).toMatchObject([
      { what: "-p PID, -L TID, -- COMMAND", why: expect.stringContaining("pid namespace") as string },
    ]);
    expect(found.fixes).toEqual([{ where: "container", line: "docker run --pid=host ..." }]);
  });

  test("a seccomp filter that refuses is named", async () => {
    const found = await report([compile("refuse-bpf.c")]);
    expect(found.status).toBe(1);
    expect(found.privileges.seccomp).toBe(2);
    expect(found.causes).toHaveLength(1);
    expect(found.causes[0]!.what).toMatch(/EPERM.*seccomp filter/);
    expect(found.features.find(({ name }) => name === "ring buffer")!.here).toBe("not permitted");
    expect(found.fixes.some(({ line }) => line.includes("seccomp=unconfined"))).toBe(true);
  });

  test("a missing /sys is named, and no feature is praised that is found there", async () => {
    const { stdout, stderr, status } = await page(without("/sys"));
    expect({ stderr, status }).toEqual({ stderr: "", status: 1 });
    expect(stdout).toMatch(/^BTF +5\.4 +no /m);
    expect(stdout).toMatch(
      /^ {2}why: the list of CPUs cannot be read \(ENOENT\)\n {2}at: \/sys\/devices\/system\/cpu\/\w+\n {2}fix: mount/m,
    );
  });

  test("a missing /proc ends in three lines", async () => {
    const { stdout, stderr, status } = await page(without("/proc"));
    expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
    expect(stderr).toBe(
      "uscope: /proc is not mounted, so that neither processes nor privileges can be seen\n  at: /proc/self/status\n  fix: mount -t proc proc /proc\n",
    );
  });
});

describe.runIf(canBeNobody)("a trace under the same words proves it right", () => {
  test.each([
    ["root", []],
    ["nobody", nobody],
    ["nobody with CAP_BPF and CAP_PERFMON", [...nobody, ...bpfAndPerfmon]],
    ["root of a user namespace", ["unshare", "--user", "--map-root-user"]],
    ["root of a pid namespace", ["unshare", "--pid", "--mount", "--fork", "--mount-proc"]],
    ["root behind a filter", [compile("refuse-bpf.c")]],
  ])("%s", async (_, prefix) => {
    const program = join(copy.root, "calls");
    cpSync(compile("calls.c"), program);
    const { tracing, abilities } = await report(prefix);
    const canStart = tracing && abilities.find(({ what }) => what.includes("-- COMMAND"))!.works;
    const words = ["trace", `${program}:alpha`, "--", program];
    const { stdout, status } = await runCli(words, { prefix, root: copy.root, input: "3 0\n" });
    expect(status).toBe(canStart ? 0 : 1);
    expect(stdout.match(/ alpha$/gm) ?? []).toHaveLength(canStart ? 3 : 0);
  });
});

describe("without privileges of any kind", () => {
  test("a package without the addon for this platform says so", async () => {
    using broken = copyPackage();
    rmSync(join(broken.root, "prebuilds"), { recursive: true });
    const { stdout, stderr, status } = await runCli(["doctor"], { root: broken.root });
    expect({ stderr, status }).toEqual({ stderr: "", status: 1 });
    expect(stdout).toMatch(
      /^ {2}why: uscope has no working native part .*\n {2}at: prebuilds\/.*\n {2}fix: /m,
    );
    expect(stdout).not.toContain("KERNEL FEATURE");
  });

  test("arguments are refused, with exit code 2", async () => {
    const { stdout, stderr, status } = await runCli(["doctor", "1234"]);
    expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
    expect(stderr).toMatch(/^uscope: .*"1234"\n {2}at: uscope doctor\n {2}fix: .*-p PID\n$/);
  });

  test("the help text says the exit codes", async () => {
    const { stdout, status } = await runCli(["doctor", "--help"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Exit code: 0 .*\n1 when tracing is not possible, 2 /);
  });
});
