/** The samples of docs/markers.md, run as they stand there, with a PostgreSQL server that a client asks one query again and again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { onX86, requires } from "../support/kernel.js";
import { postgresPath, startPostgres } from "../support/postgres.js";
import { asLike, openSamples } from "../support/samples.js";

const page = openSamples("markers.md");
afterAll(() => page[Symbol.dispose]());

/** Durations in one unit, and no rows of histograms: these are others in each run. */
function calm(text: string): string {
  return text
    .replaceAll(/^\[\d.*\|$/gm, "...")
    .replaceAll(/(?:\.\.\.\n)+/g, "...\n")
    .replaceAll(/\b(\d[\d.]*)[nmu]s\b/g, "$1s");
}

const programs = ["java", "ruby", "php", "/usr/bin/python3.11", "psql", postgresPath];

describe.runIf(onX86() && requires(...programs))("docs/markers.md", () => {
  beforeAll(async () => {
    const postgres = await startPostgres();
    vi.stubEnv("POSTGRES", String(postgres.pid));
    vi.stubEnv("PGHOST", postgres.folder);
    vi.stubEnv("PGUSER", "postgres");
    const asking = "while psql -X -c 'select 6 * 7' postgres; do sleep 0.02; done";
    const client = spawn("sh", ["-c", asking], { stdio: "ignore" });
    const ended = once(client, "exit");
    return async () => {
      vi.unstubAllEnvs();
      client.kill("SIGKILL");
      await ended;
      await postgres[Symbol.asyncDispose]();
    };
  });

  test.each(page.samples.map((sample) => [sample.command, sample] as const))("%s", (_, sample) => {
    const shown = calm(sample.output);
    expect(asLike(calm(page.run(sample)), { ...sample, output: shown })).toBe(shown);
  });

  test("has a sample for each runtime", () => {
    expect(page.samples.length).toBeGreaterThan(12);
  });
});
