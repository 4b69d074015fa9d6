/**
 * Owns a real server to trace: a private copy of redis-server on a port of its own, ended when it is disposed.
 * Does not own tracing it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { executablePath } from "./elf.js";

export interface Redis extends AsyncDisposable {
  /** The copy that runs. */
  readonly program: string;
  readonly pid: number;
  /** Sends a command as clients do and returns the answer. */
  ask(line: string): Promise<string>;
  /** Sends SET and GET so often each, from many clients, and resolves when all are answered. */
  benchmark(requests: number): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), "uscope-redis-"));
  // Why so called: the program asks its own name whether it is the server.
  const program = join(folder, "redis-server");
  copyFileSync(executablePath("redis-server"), program);
  const port = await findFreePort();
  const words = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const server = spawn(program, [...words, "--dir", folder], { stdio: "ignore" });
  const client = await connected(port);
  return {
    program,
    pid: server.pid!,
    async ask(line) {
      // Spec: RESP arrays, as every client sends them; words of a bare line are made into other objects.
      const words = line.split(" ");
      client.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
      return String((await once(client, "data"))[0]);
    },
    // Why not in one call: whoever reads events meanwhile goes on reading.
    async benchmark(requests) {
      const words = ["-p", String(port), "-n", String(requests), "-t", "set,get", "-q"];
      const [status] = await once(spawn("redis-benchmark", words, { stdio: "ignore" }), "exit");
      if (status !== 0) throw new Error(`redis-benchmark ended with ${status}`);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.kill("SIGKILL");
      await once(server, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

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
