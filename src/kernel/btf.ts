/**
 * Owns reading the kernel's own type information as far as to find where a member lies in a struct.
 * Does not own types at large: no sizes, no printing, no user programs' types (dwarf/).
 */
import { readFileSync } from "node:fs";
import { FormatError, NotFoundError } from "../base/errors.js";

/** Type information that was walked once: where each type stands. */
export interface Btf {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Byte place of type `id`; [0] is void and unused. */
  readonly types: Uint32Array;
  readonly strings: { readonly start: number; readonly end: number };
}

/** Returns the byte offsets of members of one of the running kernel's structs, such as task_struct. */
export function readKernelOffsets<Member extends string>(
  struct: string,
  members: readonly Member[],
): Record<Member, number> {
  const path = "/sys/kernel/btf/vmlinux";
  const btf = readBtf(path, readFileSync(path));
  const type = findStruct(btf, struct);
  const entries = members.map((member) => {
    const bits = type === undefined ? undefined : findMemberBits(btf, type, member, 0);
    if (bits === undefined || bits % 8 !== 0) {
      throw new NotFoundError({
        what: `this kernel's ${struct} has no member ${member}`,
        at: path,
        fix: "do without what needs it (--children); a newer or older kernel may have it",
      });
    }
    return [member, bits / 8] as const;
  });
  return Object.fromEntries(entries) as Record<Member, number>;
}

/**
 * Walks type information in this machine's byte order. Throws a FormatError where it is damaged.
 *
 *     header  u16 magic 0xeb9f  u8 version  u8 flags  u32 header bytes  u32 types at  u32 bytes  u32 strings at  u32 bytes
 *     type    u32 name  u32 bits (0-15 number of parts, 24-28 kind, 31 flag)  u32 size or type, then the parts
 *
 * Spec: Documentation/bpf/btf.rst.
 */
export function readBtf(path: string, bytes: Uint8Array): Btf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) throw damaged(path, "the header", 0);
  if (view.getUint16(0, true) !== 0xeb9f || view.getUint8(2) !== 1)
    throw damaged(path, "the magic number", 0);
  const header = view.getUint32(4, true);
  const first = header + view.getUint32(8, true);
  const end = first + view.getUint32(12, true);
  const stringStart = header + view.getUint32(16, true);
  const stringEnd = stringStart + view.getUint32(20, true);
  if (end > bytes.length || stringEnd > bytes.length) throw damaged(path, "the sections", 8);
  // Why: a type takes 12 bytes at least, so this bound holds for garbage too.
  const types = new Uint32Array(Math.floor((end - first) / 12) + 1);
  let count = 1;
  for (let at = first; at < end; count++) {
    if (at + 12 > end) throw damaged(path, `type ${count}`, at);
    types[count] = at;
    const partBytes = partBytesOf(view.getUint32(at + 4, true));
    if (partBytes === undefined) throw damaged(path, `type ${count}, its kind`, at + 4);
    at += 12 + partBytes;
    if (at > end) throw damaged(path, `type ${count}, its parts`, at);
  }
  return {
    path,
    bytes,
    view,
    types: types.subarray(0, count),
    strings: { start: stringStart, end: stringEnd },
  };
}

/** Returns the id of the struct of that name, or undefined. */
export function findStruct(btf: Btf, name: string): number | undefined {
  const wanted = new TextEncoder().encode(`${name}\0`);
  for (let id = 1; id < btf.types.length; id++) {
    const at = btf.types[id]!;
    if (kindOf(btf.view.getUint32(at + 4, true)) !== kinds.struct) continue;
    if (isStringAt(btf, btf.view.getUint32(at, true), wanted)) return id;
  }
  return undefined;
}

/** Returns where a member lies in a struct, in bits, looking into anonymous structs and unions; or undefined. */
export function findMemberBits(btf: Btf, struct: number, member: string, depth: number): number | undefined {
  const wanted = new TextEncoder().encode(`${member}\0`);
  const at = btf.types[struct];
  // Why: nested types are a tree in sound files; garbage could make a ring of them.
  if (at === undefined || at === 0 || depth > 8) return undefined;
  const word = btf.view.getUint32(at + 4, true);
  if (kindOf(word) !== kinds.struct && kindOf(word) !== kinds.union) return undefined;
  const hasBitfields = word >>> 31 === 1;
  for (let part = 0; part < (word & 0xffff); part++) {
    const place = at + 12 + part * 12;
    const name = btf.view.getUint32(place, true);
    const packed = btf.view.getUint32(place + 8, true);
    const bits = hasBitfields ? packed & 0xffffff : packed;
    if (isStringAt(btf, name, wanted)) return bits;
    const inner =
      name === 0 ? findMemberBits(btf, btf.view.getUint32(place + 4, true), member, depth + 1) : undefined;
    if (inner !== undefined) return bits + inner;
  }
  return undefined;
}

const kinds = { struct: 4, union: 5 } as const;

function kindOf(word: number): number {
  return (word >>> 24) & 0x1f;
}

/** Bytes that follow a type's first 12, by kind: a fixed number, and so many for each part. */
function partBytesOf(word: number): number | undefined {
  const row = partSizes[kindOf(word)];
  return row === undefined ? undefined : row[0] + row[1] * (word & 0xffff);
}

// Spec: btf.rst, "Type Encoding". By kind: int, ptr, array, struct, union, enum, fwd, typedef, volatile, const,
// restrict, func, func_proto, var, datasec, float, decl_tag, type_tag, enum64.
const partSizes: readonly (readonly [number, number] | undefined)[] = [
  undefined,
  [4, 0],
  [0, 0],
  [12, 0],
  [0, 12],
  [0, 12],
  [0, 8],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8],
  [4, 0],
  [0, 12],
  [0, 0],
  [4, 0],
  [0, 0],
  [0, 12],
];

function isStringAt(btf: Btf, offset: number, wanted: Uint8Array): boolean {
  const start = btf.strings.start + offset;
  if (start + wanted.length > btf.strings.end) return false;
  for (let index = 0; index < wanted.length; index++) {
    if (btf.bytes[start + index] !== wanted[index]) return false;
  }
  return true;
}

function damaged(path: string, where: string, at: number): FormatError {
  return new FormatError({
    what: `the type information is damaged: ${where}`,
    at: `${path}, byte ${at}`,
    fix: "it is the kernel's own file: boot again, or do without what needs it (--children)",
  });
}
