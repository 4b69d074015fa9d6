/** The markers of PHP: requests to its own web server as its log has them, and functions and exceptions of a program. */
import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { executablePath } from "../support/elf.js";
import { saidBy } from "../support/events.js";
import { requires } from "../support/kernel.js";

const program = fileURLToPath(new URL("../programs/shop.php", import.meta.url));
const marker = (name: string): string => `u:${realpathSync(executablePath("php"))}:php:${name}`;
const env = { USE_ZEND_DTRACE: "1" };

async function run(markers: readonly string[], environment: typeof env | undefined): Promise<string[]> {
  const words = ["trace", "-Z", "200", ...markers.map(marker), "--", "php", "-n", program];
  const { stdout } = await runCli(words, environment === undefined ? {} : { env: environment });
  expect(stdout).toMatch(/^DomainException$/m);
  return saidBy(stdout).map((line) => line.replaceAll(program, "shop.php").replaceAll(/ +/g, " "));
}

/** What is said when a function is entered and left. */
function call(name: string, line: number, owner = "", scope = ""): string[] {
  return ["entry", "return"].map((end) =>
    `php:function__${end} function=${name} file=shop.php line=${line} class=${owner} scope=${scope}`.trimEnd(),
  );
}

describe.runIf(requires("php"))("php", () => {
  test("each request of a web server, as its log has it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-php-"));
    writeFileSync(join(folder, "index.php"), "<?php echo 'answered';");
    const words = ["-n", "-S", "127.0.0.1:0", "-t", folder];
    const server = spawn("php", words, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = once(server, "exit");
    let log = "";
    server.stderr.on("data", (piece: Buffer) => (log += piece.toString()));
    try {
      await expect.poll(() => log, { timeout: 10_000 }).toMatch(/127\.0\.0\.1:\d+\) started/);
      const address = /http:\/\/[\d.:]+/.exec(log)![0];
      await using cli = startCli(["trace", "-p", String(server.pid), marker("request-*")]);
      await cli.until("stderr", /armed 2 places/);
      const paths = ["/", "/shop?item=apple", "/sch%C3%B6n", "/last"];
      for (const path of paths) {
        const method = path === "/last" ? "POST" : "GET";
        const answer = await fetch(address + path, { method, headers: { connection: "close" } });
        expect(await answer.text()).toBe("answered");
      }
      await cli.until("stdout", /shutdown .*uri=\/last/);
      server.kill("SIGKILL");
      const said = saidBy((await cli.ended).stdout).map((line) => line.replaceAll(/ +/g, " "));
      const logged = [...log.matchAll(/ (GET|POST) (\/\S*)$/gm)].map(([, method, uri]) => ({ method, uri }));
      expect(logged.map(({ uri }) => uri)).toEqual(paths);
      expect(said).toEqual(
        logged.flatMap(({ method, uri }) =>
          ["startup", "shutdown"].map(
            (end) => `php:request__${end} file=${join(folder, "index.php")} uri=${uri} method=${method}`,
          ),
        ),
      );
    } finally {
      server.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("functions with their classes; exceptions that are thrown and caught", async () => {
    const said = await run(["function__*", "exception__*"], env);
    const [enter, leave] = call("main", 5);
    const [enterPut, leavePut] = call("put", 3, "Basket", "::");
    expect(said).toEqual([
      enter,
      ...call("sell", 2),
      ...call("sell", 2),
      ...call("sell", 2),
      enterPut,
      leavePut,
      enterPut,
      "php:exception__thrown class=DomainException",
      leavePut,
      "php:exception__caught class=DomainException",
      leave,
    ]);
  });

  test("without USE_ZEND_DTRACE only requests and exceptions pass their markers", async () => {
    const said = await run(["*"], undefined);
    expect(said.map((line) => line.split(" ")[0])).toEqual([
      "php:request__startup",
      "php:exception__thrown",
      "php:exception__caught",
      "php:request__shutdown",
    ]);
  });
});
