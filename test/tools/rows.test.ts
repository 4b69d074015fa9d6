import { describe, expect, test } from "vitest";
import { printJsonLine } from "../../src/tools/cells.js";
import { ValueStream, printRows } from "../../src/tools/rows.js";

function stream(...batches: readonly (readonly unknown[])[]): string {
  const values = new ValueStream();
  return batches
    .map((batch) => {
      for (const value of batch) values.add(value);
      return values.take();
    })
    .join("");
}

describe("a table", () => {
  test("is as wide as its names and values, numbers to the right", () => {
    expect(
      printRows([
        { name: "get", calls: 12n, rate: 0.51234 },
        { name: "hgetall", calls: 3, rate: 1234.5678 },
      ]),
    ).toBe("NAME    CALLS     RATE\nget        12    0.512\nhgetall     3 1234.568\n");
  });

  test("flattens objects, and leaves empty what a row has not", () => {
    expect(printRows([{ a: { b: 1, c: { d: "x" } } }, { a: { b: 22 }, e: true }])).toBe(
      "A.B A.C.D E\n  1 x\n 22       true\n",
    );
  });

  test("puts text to the left also when it is empty, and numbers to the right also when they are missing", () => {
    expect(
      printRows([
        { a: "", bee: 1, cee: undefined },
        { a: "xyz", bee: 2, cee: 3 },
      ]),
    ).toBe("A   BEE CEE\n      1\nxyz   2   3\n");
  });

  test("unwraps keys of aggregates and events of named probes", () => {
    expect(printRows([{ key: { pid: 1, comm: "a" }, count: 2 }])).toBe("PID COMM COUNT\n  1 a        2\n");
    expect(printRows([{ key: ["a", 3n], count: 2 }])).toBe("KEY  COUNT\na, 3     2\n");
    expect(printRows([{ name: "get", event: { pid: 1 } }])).toBe("NAME PID\nget    1\n");
    expect(printRows([{ name: "get", event: { name: "x" } }])).toBe("NAME EVENT.NAME\nget  x\n");
  });

  test("shows bytes, lists, times, null and what is no text", () => {
    expect(
      printRows([
        {
          bytes: new Uint8Array([0, 255]),
          list: [1, 2n, "x"],
          time: new Date(0),
          none: null,
          gone: undefined,
        },
      ]),
    ).toBe(
      'BYTES LIST        TIME                     NONE GONE\n00ff  [1,"2","x"] 1970-01-01T00:00:00.000Z null\n',
    );
  });

  test("escapes control bytes in values and names", () => {
    expect(printRows([{ "a\u001b": "x\n\u001b[31m\u009b" }])).toBe("A\\X1B\nx\\n\\x1b[31m\\x9b\n");
  });

  test("without rows says so", () => {
    expect(printRows([])).toBe("no rows\n");
  });

  test("of rows with buckets is a histogram each", () => {
    const buckets = [{ from: 1, to: 2, count: 1 }];
    const text = printRows([
      { key: { pid: 1 }, count: 1, sum: 1n, average: 1, buckets },
      { key: "a", unit: "ns", count: 1, sum: 1500n, average: 1500, buckets },
      { key: undefined, buckets },
    ]);
    expect(text.split("\n").filter((line) => !line.startsWith("["))).toEqual([
      "pid=1",
      "p50 =1  p90 =1  p99 =1",
      "average 1  total 1  count 1",
      "",
      "key=a",
      "p50 =1ns  p90 =1ns  p99 =1ns",
      "average 1.5us  total 1.5us  count 1",
      "",
      "p50 =1  p90 =1  p99 =1",
      "",
    ]);
  });
});

describe("a stream", () => {
  test("widens its columns and leaves what is printed", () => {
    expect(stream([{ text: "a", n: 1 }], [{ text: "b".repeat(20), n: 2 }], [{ text: "c", n: 3 }])).toBe(
      [
        "TEXT               N",
        "a                  1",
        `${"b".repeat(20)}       2`,
        `c${" ".repeat(26)}3`,
        "",
      ].join("\n"),
    );
  });

  test("lets a very long text push its line, and finds its columns again", () => {
    const [header, long, short] = stream([
      { text: "x".repeat(50), n: 1, m: "end" },
      { text: "y", n: 2, m: "end" },
    ]).split("\n");
    expect(header).toBe("TEXT               N M");
    expect(long).toBe(`${"x".repeat(50)} 1 end`);
    expect(short).toBe("y                  2 end");
  });

  test("prints a new header when names come that were not there", () => {
    expect(
      stream(
        [{ name: "a", pid: 1 }],
        [
          { name: "b", size: 7 },
          { name: "a", pid: 2 },
        ],
      ),
    ).toBe(
      [
        "NAME             PID",
        "a                  1",
        "",
        "NAME             PID    SIZE",
        "b                          7",
        "a                  2",
        "",
      ].join("\n"),
    );
  });

  test("sets tables apart, and text not", () => {
    expect(stream(["first", [{ a: 1 }], [{ a: 2 }], "x\ny\u001b", 3n, null, [1, 2], undefined])).toBe(
      "first\n\nA\n1\n\nA\n2\n\nx\ny\\x1b\n3\nnull\n1 2\n",
    );
  });

  test("shows stacks below their line", () => {
    expect(stream([{ pid: 1, stack: ["f+0x1", "g\u001b"] }])).toBe(
      "    PID\n      1\n        f+0x1\n        g\\x1b\n\n",
    );
  });

  test("does not follow circles", () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle["self"] = circle;
    expect(stream([circle])).toContain("[circular]");
    expect(printJsonLine(circle)).toBe('{"a":1,"self":"[circular]"}\n');
  });
});

describe("JSON", () => {
  test("keeps 64 bits, and control characters from the terminal", () => {
    const line = printJsonLine({ n: 2n ** 64n - 1n, t: "\u001b\u009b\u2028", s: 1.5, nan: Number.NaN });
    expect(line).toBe('{"n":"18446744073709551615","t":"\\u001b\\u009b\\u2028","s":1.5,"nan":null}\n');
  });

  test("has bytes, sets, maps, times and names that look special", () => {
    const value = {
      b: new Uint8Array([1, 2]),
      s: new Set([1n]),
      m: new Map([["k", 1]]),
      d: new Date(0),
      f() {},
    };
    expect(printJsonLine(value)).toBe(
      '{"b":"0102","s":["1"],"m":[["k",1]],"d":"1970-01-01T00:00:00.000Z"}\n',
    );
    expect(printJsonLine(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}\n');
  });
});
