/** The markers of PostgreSQL: the texts of queries and the ends of transactions, as its log and its clients know them. */
import { describe, expect, test } from "vitest";
import { startBpftrace } from "../support/bpftrace.js";
import { startCli } from "../support/cli.js";
import { readEvents, saidBy } from "../support/events.js";
import { requires } from "../support/kernel.js";
import { postgresPath, startPostgres } from "../support/postgres.js";

const marker = (name: string): string => `u:${postgresPath}:postgresql:${name}`;

const query = (text: string): string => `postgresql:query__start query=${text}`;

describe.runIf(requires(postgresPath, "psql"))("postgres", () => {
  test("each query of each client, in processes that the server forks while it is traced", async () => {
    await using postgres = await startPostgres();
    const words = ["trace", "--children", "-Z", "200", "-p", String(postgres.pid)];
    await using cli = startCli([...words, `${marker("query-start")} "%s", arg1`, marker("transaction*")]);
    await cli.until("stderr", /armed 4 places/);
    const clients = [];
    for (const [index, sql] of ["select 6 * 7;", "select 'grün und ''blau''';"].entries()) {
      await using client = await postgres.connect();
      await client.ask(sql);
      await client.ask(`create table orders${index} (id int);`);
      for (let id = 0; id < 20; id++) await client.ask(`insert into orders${index} values (${id});`);
      await client.ask("begin;");
      await client.ask(`select count(*) from orders${index};`);
      await client.ask("rollback;");
      await client.ask("select 'the last one';");
      clients.push(client.backend);
    }
    await cli.until("stdout", /the last one[^]*transaction__commit[^]*the last one[^]*transaction__commit/);
    cli.signal("SIGINT");
    const events = readEvents((await cli.ended).stdout);
    for (const backend of clients) {
      const own = events.filter(({ pid }) => pid === String(backend));
      const named = (name: string): string[] =>
        own.filter((event) => event.name === `postgresql:${name}`).map(({ message }) => message);
      expect(named("query__start")).toEqual(postgres.logged(backend));
      expect(named("query__start").length).toBe(27);
      // Each statement by itself, and the three of the block together; one more when the client comes.
      expect(named("transaction__start").length).toBe(25 + 1);
      expect(named("transaction__commit").length).toBe(25 - 1 + 1);
      expect(named("transaction__abort").length).toBe(1);
    }
  });

  test.runIf(requires("bpftrace"))(
    "queries and locks of one client; bpftrace sees the same",
    async () => {
      await using postgres = await startPostgres();
      await using client = await postgres.connect();
      const pid = String(client.backend);
      const probes = [marker("query__start"), marker("lwlock__acquire")];
      await using cli = startCli(["trace", "-p", pid, ...probes]);
      await cli.until("stderr", /armed [2-9] places/);
      const path = `usdt:${postgresPath}:postgresql:`;
      await using peer = await startBpftrace(
        `${path}query__start { printf("postgresql:query__start query=%s\\n", str(arg0)); }
         ${path}lwlock__acquire { printf("postgresql:lwlock__acquire tranche=%s mode=%d\\n", str(arg0), arg1); }`,
        client.backend,
        () => client.ask("select count(*) from pg_class;"),
        (lines) => ["query", "lwlock"].every((word) => lines.some((line) => line.includes(word))),
      );
      const [begin, end] = ["select 'begin';", "select 'end';"];
      await client.ask(begin);
      await client.ask("create table shop (id int);");
      await client.ask("insert into shop select generate_series(1, 1000);");
      await client.ask("select sum(id) from shop;");
      await client.ask(end);
      await peer.until((lines) => lines.includes(query(end)));
      await cli.until("stdout", /query=select 'end'/);
      cli.signal("SIGINT");
      const window = (lines: readonly string[]): readonly string[] =>
        lines.slice(lines.indexOf(query(begin)), lines.indexOf(query(end)) + 1).sort();
      const own = window(saidBy((await cli.ended).stdout).map((line) => line.replaceAll(/ +/g, " ")));
      expect(own.length).toBeGreaterThan(20);
      expect(own).toContain("postgresql:lwlock__acquire tranche=WALInsert mode=0");
      expect(own).toEqual(window(peer.lines()));
    },
    60_000,
  );
});
