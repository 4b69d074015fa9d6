/** A real server, a private copy of it on a port of its own: the words of its clients are shown to the byte. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCli } from "../support/cli.js";
import { needs, requires } from "../support/kernel.js";
import { startRedis } from "../support/redis.js";
import type { Redis } from "../support/redis.js";

describe.runIf(needs("uprobe_multi") && requires("redis-server"))("redis-server", () => {
  let redis: Redis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis[Symbol.asyncDispose]());

  test.each([
    ["with the length that it is given", "%.*s", "arg2, arg1"],
    ["by names of its own", "%.*s", "n, text"],
  ])("shows the words of set and get and no byte more, %s", async (_what, format, values) => {
    const place = values.includes("n") ? "createStringObject(char *text, size_t n)" : "createStringObject";
    const probe = `${redis.program}:${place} "${format}", ${values}`;
    await using running = startCli(["trace", "-p", String(redis.pid), "-M", "5", probe]);
    await running.until("stderr", /armed 1 place/);
    expect(await redis.ask("set octi fest")).toBe("+OK\r\n");
    expect(await redis.ask("get octi")).toBe("$4\r\nfest\r\n");
    const { stdout, status } = await running.ended;
    const head = `${String(redis.pid).padEnd(7)} ${String(redis.pid).padEnd(7)} redis-server    `;
    expect(stdout).toBe(
      `PID     TID     COMM            FUNC               -\n${["set", "octi", "fest", "get", "octi"]
        .map((word) => `${head}createStringObject ${word}\n`)
        .join("")}`,
    );
    expect(status).toBe(0);
  });
});
