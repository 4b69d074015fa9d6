import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { NotFoundError } from "../../src/base/errors.js";
import { launch, launcherComm } from "../../src/trace/launch.js";

const commOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await sleep(10);
  expect(condition()).toBe(true);
}

test("the command waits under the launcher's name, then runs under the same pid", async () => {
  const command = await launch(["sleep", "30"]);
  await until(() => commOf(command.pid) === launcherComm);
  await sleep(50);
  expect(commOf(command.pid)).toBe(launcherComm);
  command.release();
  await until(() => commOf(command.pid) === "sleep");
  command.kill();
  expect(await command.ended).toBe(128 + 15);
});

test("arguments arrive word for word, and the exit code comes back", async () => {
  const command = await launch([
    "sh",
    "-c",
    '[ "$1" = "a b" ] && [ "$2" = "*" ] && exit 7',
    "sh",
    "a b",
    "*",
  ]);
  command.release();
  expect(await command.ended).toBe(7);
});

test.each([
  ["/no/such/file", /no command/],
  ["no-such-command-anywhere", /no command/],
  ["/etc/passwd", /not an executable file/],
])("%s is refused", async (file, what) => {
  await expect(launch([file])).rejects.toThrow(NotFoundError);
  await expect(launch([file])).rejects.toThrow(what);
});

test("the launcher's name fits into a thread's name", () => {
  expect(launcherComm.length).toBeLessThanOrEqual(15);
});
