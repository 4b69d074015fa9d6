/**
 * Owns a PostgreSQL server to trace: a data folder of its own, spoken to through a socket in it, as a user without rights; ended when
 * it is disposed. Does not own tracing it.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { converse } from "./kernel.js";
import type { Conversation } from "./kernel.js";

const programs = "/usr/lib/postgresql/15/bin";

/** The server's own file, which holds its markers. */
export const postgresPath = `${programs}/postgres`;

/** One client of the server. */
export interface Psql extends Conversation {
  /** The server's process that serves it. */
  readonly backend: number;
  /** Sends a line as psql sends it, and waits until it is answered. */
  ask(sql: string): Promise<void>;
}

export interface Postgres extends AsyncDisposable {
  /** Of the server, whose children serve the clients. */
  readonly pid: number;
  /** The folder with the socket, for PGHOST. */
  readonly folder: string;
  /** The statements of each client since the start, as the server has logged them. */
  logged(backend: number): readonly string[];
  connect(): Promise<Psql>;
}

/** Why: the server refuses to run as root. */
const nobody = 65534;
const isRoot = process.getuid?.() === 0;
const unprivileged = isRoot
  ? ["setpriv", "--reuid", String(nobody), "--regid", String(nobody), "--clear-groups"]
  : [];

/** The words that run a program of the server. */
function words(command: string, ...parameters: readonly string[]): [string, string[]] {
  const [first, ...others] = [...unprivileged, join(programs, command), ...parameters];
  return [first!, others];
}

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "uscope-postgres-"));
  if (isRoot) chownSync(folder, nobody, nobody);
  const cluster = join(folder, "cluster");
  const options = ["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"];
  execFileSync(...words("initdb", "-D", cluster, ...options), { stdio: ["ignore", "ignore", "inherit"] });
  const settings = {
    listen_addresses: "",
    unix_socket_directories: folder,
    fsync: "off",
    log_statement: "all",
    log_line_prefix: "%p|",
  };
  const set = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn(...words("postgres", "-D", cluster, ...set), { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  server.stderr.on("data", (piece: Buffer) => (log += piece.toString()));
  for (let tries = 0; !log.includes("ready to accept connections"); tries++) {
    if (tries === 500 || server.exitCode !== null) throw new Error(`postgres does not start: ${log}`);
    await sleep(20);
  }
  const logged = (backend: number): readonly string[] =>
    [...log.matchAll(/^(\d+)\|LOG: {2}statement: (.*)$/gm)].flatMap(([, pid, text]) =>
      Number(pid) === backend ? [text!] : [],
    );
  return {
    pid: server.pid!,
    folder,
    logged,
    connect: () => connect(folder),
    async [Symbol.asyncDispose]() {
      server.kill("SIGQUIT");
      await once(server, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function connect(folder: string): Promise<Psql> {
  const parameters = ["-X", "-q", "-A", "-t", "-h", folder, "-U", "postgres", "-d", "postgres"];
  const psql = converse("psql", parameters);
  const ask = async (sql: string): Promise<string[]> => {
    psql.say(`${sql}\n\\echo answered`);
    const lines = [];
    for (let line = await psql.line(); line !== "answered"; line = await psql.line()) lines.push(line);
    return lines;
  };
  const [backend] = await ask("select pg_backend_pid();");
  return { ...psql, backend: Number(backend), ask: async (sql) => void (await ask(sql)) };
}
