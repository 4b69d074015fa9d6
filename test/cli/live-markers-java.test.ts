/** The markers of a Java machine: every class and every thread by its name, as the machine itself tells of them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startBpftrace } from "../support/bpftrace.js";
import { runCli, startCli } from "../support/cli.js";
import { readEvents, saidBy } from "../support/events.js";
import { compileJava, findLibjvm } from "../support/java.js";
import { converse, requires } from "../support/kernel.js";
import type { Conversation } from "../support/kernel.js";

// Why serial: it is the smallest, and its names are the same on every machine.
const javaOf = (...options: readonly string[]): string[] => [
  "-XX:+UseSerialGC",
  "-XX:-UseDynamicNumberOfCompilerThreads",
  ...options,
  "-cp",
  compileJava("Weaver"),
  "Weaver",
];

function openFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "uscope-java-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function startJava(...options: readonly string[]): Promise<Conversation & { readonly pid: number }> {
  const java = converse("java", javaOf(...options));
  expect(await java.line()).toBe("ready");
  return { ...java, pid: java.child.pid! };
}

async function weave(java: Conversation, threads: number): Promise<string> {
  java.say(String(threads));
  return await java.line();
}

/** What the last `weave` but one has called; other threads of the machine pass from one call into the next. */
function window(lines: readonly string[]): readonly string[] {
  const end = lines.lastIndexOf("Weaver.weave");
  const inside = lines.slice(lines.lastIndexOf("Weaver.weave", end - 1), end);
  return inside.filter((line) => /^Weaver|^java\/lang\/Thread\.(?:start|run|join)/.test(line)).sort();
}

describe.runIf(requires("java"))("java", () => {
  test("each class that is loaded, as -Xlog:class+load has it", async () => {
    using folder = openFolder();
    const log = join(folder.path, "classes");
    const probe = `u:${findLibjvm()}:class__loaded "%s", arg1`;
    const java = ["java", ...javaOf(`-Xlog:class+load:file=${log}:none`), "2"];
    const { stdout } = await runCli(["trace", "-Z", "300", probe, "--", ...java]);
    // Spec: a hidden class has a `+` inside the machine, which its log shows as `/`.
    const logged = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ")[0]!.replaceAll(".", "/").replace("/0x", "+0x"));
    const loaded = readEvents(stdout).map(({ message }) => message);
    expect(logged.length).toBeGreaterThan(400);
    expect(logged).toContain("Weaver");
    expect(loaded.sort()).toEqual(logged.sort());
  });

  test("each thread that starts and stops, as a dump of the threads has them", async () => {
    using folder = openFolder();
    const dump = join(folder.path, "dump");
    // Why a file: the machine's lines and those of the trace would be mixed on one stdout.
    const java = ["sh", "-c", `exec "$@" > ${dump}`, "sh", "java", ...javaOf(), "2"];
    const words = ["trace", `u:${findLibjvm()}:hotspot:thread__st*`, "--", ...java];
    await using cli = startCli(words, { input: "wait\n" });
    await cli.until("stdout", /thread__stop +name=Fäden-2 /);
    const [, pid] = await cli.until("stderr", /process (\d+)/);
    const printed = (): string => readFileSync(dump, "utf8");
    await expect.poll(printed, { timeout: 10_000 }).toMatch(/^ready$/m);
    process.kill(Number(pid), "SIGQUIT");
    await expect.poll(printed, { timeout: 10_000 }).toMatch(/JNI global refs/);
    const events = readEvents(cli.stdout);
    // Spec: "NAME" #JAVA_ID [daemon] prio=... nid=0xNATIVE_ID; what has no #JAVA_ID is no Java thread.
    const dumped = [...printed().matchAll(/^"(.*)" #(\d+)( daemon)? .* nid=0x([0-9a-f]+) /gm)].map(
      ([, name, javaId, daemon, nativeId]) =>
        `name=${name} java_id=${javaId} native_id=${Number.parseInt(nativeId!, 16)} daemon=${daemon ? 1 : 0}`,
    );
    const [main, ...others] = dumped.sort(
      (left, right) => Number(/main/.test(right)) - Number(/main/.test(left)),
    );
    expect(main).toMatch(/^name=main java_id=1 /);
    const started = events
      .filter(({ name }) => name === "hotspot:thread__start")
      .map(({ message }) => message);
    const stopped = events
      .filter(({ name }) => name === "hotspot:thread__stop")
      .map(({ message }) => message);
    expect(started.length).toBeGreaterThan(6);
    expect(stopped.map((message) => message.split(" ")[0])).toEqual(["name=Fäden-1", "name=Fäden-2"]);
    expect(started.filter((message) => !stopped.includes(message)).sort()).toEqual(others.sort());
    process.kill(Number(pid), "SIGTERM");
    await cli.ended;
  });

  test("collections and pools, by the name of the library in a process that runs", async () => {
    await using java = await startJava();
    const probes = ["u:libjvm.so:hotspot:gc__*", "u:libjvm.so:mem__pool__gc__*"];
    await using cli = startCli(["trace", "-p", String(java.pid), ...probes]);
    await cli.until("stderr", /armed 4 places in 1 file/);
    await weave(java, 0);
    await weave(java, 0);
    java.child.kill();
    const said = saidBy((await cli.ended).stdout);
    const count = (pattern: RegExp): number => said.filter((line) => pattern.test(line)).length;
    expect(count(/^hotspot:gc__begin full=1$/)).toBe(2);
    expect(count(/^hotspot:gc__end$/)).toBe(2);
    for (const end of ["begin", "end"]) {
      for (const pool of ["Tenured Gen", "Eden Space", "Metaspace", "CodeHeap 'non-nmethods'"]) {
        const numbers = "initial=\\d+ used=\\d+ committed=\\d+ maximum=\\d+";
        const line = `^hotspot:mem__pool__gc__${end} manager=MarkSweepCompact pool=${pool} ${numbers}$`;
        expect(count(new RegExp(line))).toBe(2);
      }
    }
  });

  test.runIf(requires("bpftrace"))(
    "each method that is entered; bpftrace sees the same",
    async () => {
      await using java = await startJava("-XX:+ExtendedDTraceProbes", "-Xint");
      await using cli = startCli([
        "trace",
        "-p",
        String(java.pid),
        'u:libjvm.so:method__entry "%s.%s", arg2, arg4',
      ]);
      await cli.until("stderr", /armed 1 place/);
      const entry = `usdt:${findLibjvm()}:hotspot:method__entry`;
      await using peer = await startBpftrace(
        `${entry} { printf("%s.%s\\n", str(arg1, arg2), str(arg3, arg4)); }`,
        java.pid,
        () => weave(java, 1),
      );
      const marks = peer.lines().length;
      await weave(java, 3);
      await weave(java, 0);
      await peer.until((lines) => lines.slice(marks).filter((line) => line === "Weaver.weave").length >= 2);
      java.child.kill();
      const own = readEvents((await cli.ended).stdout).map(({ message }) => message);
      expect(window(own).filter((line) => line === "Weaver.depth").length).toBe(15);
      expect(window(own).length).toBeGreaterThan(24);
      expect(window(own)).toEqual(window(peer.lines()));
    },
    60_000,
  );
});
