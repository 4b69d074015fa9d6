import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { assert, nat, property, uint8Array } from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { FormatError, NotFoundError } from "../../src/base/errors.js";
import { findMemberBits, findStruct, readBtf, readKernelOffsets } from "../../src/kernel/btf.js";
import { needs } from "../support/kernel.js";

const path = "/sys/kernel/btf/vmlinux";

describe.runIf(needs("BTF"))("the kernel's type information", () => {
  /** What bpftool prints of every struct: lines [id] STRUCT 'name' and, below, members with bits_offset. */
  const structs = new Map<string, Map<string, number>>();
  let kernel: Uint8Array;

  beforeAll(() => {
    kernel = readFileSync(path);
    const dump = execFileSync("bpftool", ["btf", "dump", "file", path, "format", "raw"], {
      encoding: "utf8",
      maxBuffer: 1 << 30,
    });
    let members: Map<string, number> | undefined;
    for (const line of dump.split("\n")) {
      const struct = /^\[\d+\] STRUCT '(\w+)'/.exec(line)?.[1];
      const member = /^\t'(\w+)' type_id=\d+ bits_offset=(\d+)/.exec(line);
      if (line.startsWith("[")) members = undefined;
      if (struct !== undefined && !structs.has(struct)) structs.set(struct, (members = new Map()));
      if (member !== null) members?.set(member[1]!, Number(member[2]));
    }
  });

  test("says where members lie, as bpftool does", () => {
    const offsets = readKernelOffsets("task_struct", ["real_parent", "tgid", "pid"]);
    const oracle = structs.get("task_struct")!;
    for (const member of ["real_parent", "tgid", "pid"] as const) {
      expect(offsets[member] * 8).toBe(oracle.get(member));
    }
    const btf = readBtf(path, kernel);
    for (const struct of ["mm_struct", "file", "vm_area_struct", "sk_buff", "cgroup", "inode"]) {
      const id = findStruct(btf, struct)!;
      for (const [member, bits] of structs.get(struct)!) {
        if (member !== "anon") expect(findMemberBits(btf, id, member, 0), `${struct}.${member}`).toBe(bits);
      }
    }
  });

  test("is read in less than 60 ms", () => {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      readKernelOffsets("task_struct", ["real_parent", "tgid"]);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(60);
  });

  test("without the member is a sentence", () => {
    expect(() => readKernelOffsets("task_struct", ["no_such"])).toThrow(NotFoundError);
    expect(() => readKernelOffsets("no_such_struct", ["pid"])).toThrow("no_such_struct has no member pid");
  });

  test("damaged anywhere is a FormatError or a plain answer, never a crash", () => {
    const head = kernel.slice(0, 4096);
    for (let length = 0; length < 200; length++) read(head.slice(0, length));
    assert(
      property(uint8Array({ minLength: 24, maxLength: 400 }), (tail) => {
        const bytes = new Uint8Array(tail);
        bytes.set(kernel.subarray(0, 8));
        read(bytes);
      }),
    );
    assert(
      property(nat(4095), nat(255), (at, value) => {
        const small = smallBtf();
        small[at % small.length] = value;
        read(small);
      }),
    );
  });

  test("a struct that contains itself without a name ends", () => {
    const btf = readBtf("ring", smallBtf());
    expect(findStruct(btf, "task_struct")).toBe(1);
    expect(findMemberBits(btf, 1, "missing", 0)).toBeUndefined();
  });
});

function read(bytes: Uint8Array): void {
  try {
    const btf = readBtf("damaged", bytes);
    const id = findStruct(btf, "task_struct");
    if (id !== undefined) findMemberBits(btf, id, "real_parent", 0);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

/** One struct task_struct whose two members are nameless and of its own type. */
function smallBtf(): Uint8Array {
  const strings = new TextEncoder().encode("\0task_struct\0");
  const types = new Uint32Array([1, (4 << 24) | 2, 8, 0, 1, 0, 0, 1, 0]);
  const header = new Uint32Array([0x0001eb9f, 24, 0, types.byteLength, types.byteLength, strings.length]);
  const bytes = new Uint8Array(24 + types.byteLength + strings.length);
  bytes.set(new Uint8Array(header.buffer));
  bytes.set(new Uint8Array(types.buffer), 24);
  bytes.set(strings, 24 + types.byteLength);
  return bytes;
}
