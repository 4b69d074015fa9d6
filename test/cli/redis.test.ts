/** A real server, a private copy of it on a port of its own: the words of its clients are shown to the byte. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCli } from "../support/cli.js";
import { executablePath } from "../support/elf.js";
import { needs, requires } from "../support/kernel.js";

describe.runIf(needs("uprobe_multi") && requires("redis-server"))("redis-server", () => {
  const folder = mkdtempSync(join(tmpdir(), "uscope-redis-"));
  // Why so called: the program asks its own name whether it is the server.
  const program = join(folder, "redis-server");
  let server: ChildProcess;
  let client: Socket;

  beforeAll(async () => {
    copyFileSync(executablePath("redis-server"), program);
    const port = await findFreePort();
    server = spawn(
      program,
      ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
      { stdio: "ignore" },
    );
    client = await connected(port);
  });

  afterAll(() => {
    client.destroy();
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  /** Spec: RESP arrays, as every client sends them; words of a bare line are made into other objects. */
  const ask = async (line: string): Promise<string> => {
    const words = line.split(" ");
    client.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
    return String((await once(client, "data"))[0]);
  };

  test.each([
    ["with the length that it is given", "%.*s", "arg2, arg1"],
    ["by names of its own", "%.*s", "n, text"],
  ])("shows the words of set and get and no byte more, %s", async (_what, format, values) => {
    const place = values.includes("n") ? "createStringObject(char *text, size_t n)" : "createStringObject";
    await using running = startCli([
      "trace",
      "-p",
      String(server.pid),
      "-M",
      "5",
      `${program}:${place} "${format}", ${values}`,
    ]);
    await running.until("stderr", /armed 1 place/);
    expect(await ask("set octi fest")).toBe("+OK\r\n");
    expect(await ask("get octi")).toBe("$4\r\nfest\r\n");
    const { stdout, status } = await running.ended;
    const head = `${String(server.pid).padEnd(7)} ${String(server.pid).padEnd(7)} redis-server    `;
    expect(stdout).toBe(
      `PID     TID     COMM            FUNC               -\n${["set", "octi", "fest", "get", "octi"]
        .map((word) => `${head}createStringObject ${word}\n`)
        .join("")}`,
    );
    expect(status).toBe(0);
  });
});

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Connects as soon as somebody listens. */
async function connected(port: number): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(20);
    }
  }
}
