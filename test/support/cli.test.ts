import { expect, test } from "vitest";
import { runCli, startCli } from "./cli.js";

test("output, error output, exit code and environment arrive as they are", async () => {
  const { stdout, bytes, stderr, status, signal } = await runCli(["--version"]);
  expect({ stderr, status, signal }).toEqual({ stderr: "", status: 0, signal: undefined });
  expect(stdout).toMatch(/^uscope \d/);
  expect(bytes.toString()).toBe(stdout);
  const echo = await runCli([], {
    prefix: ["sh", "-c", 'cat; echo "$WORD" >&2; exit 7'],
    input: "in",
    env: { WORD: "out" },
  });
  expect(echo).toMatchObject({ stdout: "in", stderr: "out\n", status: 7 });
});

test("what takes too long is killed, with what its prefix has started, and all that it printed is told", async () => {
  const slow = runCli(["--version"], { prefix: ["sh", "-c", "echo began; sleep 60 & wait"], timeout: 300 });
  await expect(slow).rejects.toThrow(/did not end within 300 ms\nstdout: began/);
});

test("a running command can be waited for and signalled", async () => {
  await using running = startCli([], {
    prefix: ["sh", "-c", "trap 'echo bye; kill $!; exit 3' INT; echo ready; sleep 60 & wait"],
  });
  expect((await running.until("stdout", /r(ea)dy\n/))[1]).toBe("ea");
  running.signal("SIGINT");
  await running.until("stdout", /bye/);
  await expect(running.until("stdout", /never/)).rejects.toThrow("ended without /never/");
});

test("a command that does not exist rejects", async () => {
  await expect(runCli([], { prefix: ["/no/such/command"] })).rejects.toThrow("ENOENT");
});
