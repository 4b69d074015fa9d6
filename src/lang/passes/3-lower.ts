/**
 * Owns the third pass: the whole program of a probe as intermediate code, from the process filter to the submitted event.
 * Does not own expressions, user memory and the process filter, which are in lowering/.
 */
import { assert, unreachable } from "../../base/assert.js";
import { faultsAt, siteAt, stackParts, textRoom, tidAt, timeAt } from "../event.js";
import type { EventField, EventLayout } from "../event.js";
import { context } from "../ir.js";
import type { Operand, Program, Virtual } from "../ir.js";
import { Builder } from "../lowering/builder.js";
import type { BlockNumber } from "../lowering/builder.js";
import { filterProcesses } from "../lowering/process-filter.js";
import { UserMemory } from "../lowering/user-memory.js";
import { Values } from "../lowering/values.js";
import { counters, countersMap, eventsMap } from "../maps.js";
import type { CompileOptions } from "../options.js";
import type { Architecture, Layout } from "../target.js";
import { integerOf } from "../typed.js";
import type { TypedField, TypedProbe, TypedStatement, TypedValue } from "../typed.js";

export interface LowerOptions extends CompileOptions {
  readonly architecture: Architecture;
  readonly event: EventLayout;
  readonly returnAddress: Layout["returnAddress"];
}

/** Writes the program: process filter, hits, conditions, then time, room in the ring, fields, submission. */
export function lower(probe: TypedProbe, options: LowerOptions): Program {
  const builder = new Builder();
  const start = builder.block("start");
  const out = builder.block("out");
  builder.enter(start);
  filterProcesses(builder, options.filter, out);
  const counts = findCounters(builder, options.firstProbe, out);
  builder.count(counts, counters.hits);
  new Lowering(builder, options, counts, out).statements(probe.statements);
  builder.jump(out);
  builder.enter(out);
  builder.exit();
  return builder.finish();
}

/** Verifier: a looked-up value may be null, although an array has every entry. */
function findCounters(builder: Builder, probe: number, out: BlockNumber): Virtual {
  const key = builder.slot(4);
  builder.store(key, 0, 4, BigInt(probe));
  const counts = builder.call("map_lookup_elem", [{ map: countersMap }, { address: key, offset: 0 }]);
  const hit = builder.block("hit");
  builder.branch("eq", 64, counts, 0n, out, hit);
  builder.enter(hit);
  return counts;
}

class Lowering {
  readonly #builder: Builder;
  readonly #options: LowerOptions;
  readonly #memory: UserMemory;
  readonly #values: Values;
  readonly #counts: Virtual;
  readonly #out: BlockNumber;
  /** Where a condition that does not hold ends. */
  readonly #filtered: BlockNumber;

  constructor(builder: Builder, options: LowerOptions, counts: Virtual, out: BlockNumber) {
    this.#builder = builder;
    this.#options = options;
    this.#counts = counts;
    this.#out = out;
    this.#memory = new UserMemory(builder, options.sleepable);
    this.#filtered = builder.block("filtered");
    const faulted = builder.block("faulted", "seldom");
    this.#values = new Values(builder, this.#memory, options.architecture, faulted);
    this.#writeFailures(faulted);
  }

  statements(statements: readonly TypedStatement[]): void {
    for (const statement of statements) {
      this.#builder.span = statement.span;
      if (statement.kind === "require") this.#values.require(statement.condition, this.#filtered);
      else this.#emit(statement.fields);
      this.#builder.span = undefined;
    }
  }

  #writeFailures(faulted: BlockNumber): void {
    const builder = this.#builder;
    const here = builder.current;
    builder.enter(faulted);
    builder.count(this.#counts, counters.faults);
    builder.jump(this.#filtered);
    builder.enter(this.#filtered);
    builder.count(this.#counts, counters.filtered);
    builder.jump(this.#out);
    builder.enter(here);
  }

  #emit(fields: readonly TypedField[]): void {
    const builder = this.#builder;
    const { event } = this.#options;
    const time = builder.callStable("ktime_get_ns");
    const record = this.#reserve(event.bytes);
    builder.store(record, timeAt, 8, time);
    // Kernel: tgid << 32 | pid, which is tid and pid of the header in one piece on a little-endian machine.
    builder.store(record, tidAt, 8, builder.callStable("get_current_pid_tgid"));
    builder.store(record, siteAt, 4, builder.callStable("get_attach_cookie", [context]));
    builder.store(record, faultsAt, 4, 0n);
    const columns = this.#columns();
    columns.forEach((write, index) => write(record, event.fields[index]!.offset));
    fields.forEach((field, index) => this.#field(record, columns.length + index, field));
    event.fields.forEach((place, index) => {
      if (place.value.kind === "stack") this.#stack(record, index, place);
    });
    this.#submit(record);
  }

  #reserve(bytes: number): Virtual {
    const builder = this.#builder;
    const record = builder.call("ringbuf_reserve", [{ map: eventsMap }, BigInt(bytes), 0n]);
    const reserved = builder.block("reserved");
    const lost = builder.block("lost", "seldom");
    builder.branch("eq", 64, record, 0n, lost, reserved);
    builder.enter(lost);
    builder.count(this.#counts, counters.lost);
    builder.jump(this.#out);
    builder.enter(reserved);
    return record;
  }

  /** In the order in which the event's layout has them. */
  #columns(): ((record: Virtual, offset: number) => void)[] {
    const builder = this.#builder;
    const { cpu, comm, uid } = this.#options.columns;
    return [
      ...(cpu
        ? [
            (record: Virtual, offset: number) =>
              builder.store(record, offset, 4, builder.callStable("get_smp_processor_id")),
          ]
        : []),
      ...(comm ? [(record: Virtual, offset: number) => this.#comm(record, offset)] : []),
      ...(uid
        ? [
            (record: Virtual, offset: number) =>
              builder.store(record, offset, 4, builder.callStable("get_current_uid_gid")),
          ]
        : []),
    ];
  }

  #comm(record: Virtual, offset: number): void {
    this.#builder.run("get_current_comm", [{ address: record, offset }, 16n]);
  }

  #field(record: Virtual, index: number, field: TypedField): void {
    const builder = this.#builder;
    const outer = builder.span;
    builder.span = field.span;
    const place = this.#options.event.fields[index];
    assert(place !== undefined, `field ${index} has no place in the event`);
    this.#orFault(record, index, place, (faulted, next) =>
      this.#write(record, place, field.value, faulted, next),
    );
    builder.span = outer;
  }

  /** Writes a field; where that fails the field holds zeros and has its bit in `faults`. */
  #orFault(
    record: Virtual,
    index: number,
    place: EventField,
    write: (faulted: BlockNumber, next: BlockNumber) => void,
  ): void {
    const builder = this.#builder;
    const next = builder.block("next");
    const faulted = builder.block("fault", "seldom");
    this.#values.failingTo(faulted, () => write(faulted, next));
    builder.jump(next);
    builder.enter(faulted);
    const before = builder.load(record, faultsAt, 4);
    builder.store(record, faultsAt, 4, builder.compute("or", 32, before, 1n << BigInt(index)));
    builder.count(this.#counts, counters.faults);
    this.#writeZero(record, place);
    builder.jump(next);
    builder.enter(next);
  }

  #write(
    record: Virtual,
    place: EventField,
    value: TypedValue,
    faulted: BlockNumber,
    next: BlockNumber,
  ): void {
    const { offset } = place;
    switch (value.kind) {
      case "integer":
        return this.#builder.store(record, offset, value.type.bytes, this.#values.value(value.value));
      case "symbol": {
        assert(integerOf(value.address.type).bytes === 8, "a narrow address");
        return this.#builder.store(record, offset, 8, this.#values.value(value.address));
      }
      case "comm":
        return this.#comm(record, offset);
      case "text":
        return this.#text(record, place, value, faulted, next);
      default:
        return unreachable(value);
    }
  }

  #text(
    record: Virtual,
    { offset, value: kind }: EventField,
    value: Extract<TypedValue, { kind: "text" }>,
    fault: BlockNumber,
    next: BlockNumber,
  ): void {
    const builder = this.#builder;
    assert(kind.kind === "text", "a text in a field that is none");
    const isNull = builder.block("null", "seldom");
    const failures = { fault, null: isNull };
    const to = { base: record, offset: offset + 4 };
    const address = this.#values.value(value.address);
    if (value.length === undefined) {
      const written = this.#memory.readText(to, textRoom(kind.limit), address, failures);
      builder.store(record, offset, 4, builder.compute("sub", 32, written, 1n));
    } else {
      const { asked, read } = this.#lengths(this.#values.value(value.length), kind.limit);
      builder.store(record, offset, 4, asked);
      this.#memory.readBytes(to, read, address, failures);
    }
    builder.jump(next);
    builder.enter(isNull);
    builder.store(record, offset, 4, -1n);
  }

  /**
   * How many bytes were asked for, as the event says it (0 to 2^31 - 1), and how many are read.
   * Verifier: the size that a helper gets is proved by the very comparison that lets it through.
   */
  #lengths(length: Operand, limit: number): { readonly asked: Operand; readonly read: Operand } {
    const builder = this.#builder;
    const read = builder.copy(length);
    const asked = builder.copy(length);
    const bounded = builder.block("bounded");
    const [unusual, negative, long, huge] = ["unusual", "negative", "long", "huge"].map((name) =>
      builder.block(name, "seldom"),
    );
    assert(
      unusual !== undefined && negative !== undefined && long !== undefined && huge !== undefined,
      "four blocks",
    );
    builder.branch("gt", 64, read, BigInt(limit), unusual, bounded);
    builder.enter(unusual);
    builder.branch("slt", 64, asked, 0n, negative, long);
    builder.enter(negative);
    builder.copy(0n, read);
    builder.copy(0n, asked);
    builder.jump(bounded);
    builder.enter(long);
    builder.copy(BigInt(limit), read);
    builder.branch("gt", 64, asked, 0x7fff_ffffn, huge, bounded);
    builder.enter(huge);
    builder.copy(0x7fff_ffffn, asked);
    builder.jump(bounded);
    builder.enter(bounded);
    return { asked, read };
  }

  #writeZero(record: Virtual, { offset, value }: EventField): void {
    const builder = this.#builder;
    switch (value.kind) {
      case "integer":
        return builder.store(record, offset, value.type.bytes, 0n);
      case "symbol":
        return builder.store(record, offset, 8, 0n);
      case "text":
        return builder.store(record, offset, 4, 0n);
      case "stack":
        return builder.store(record, offset + stackParts.returnAddress, 8, 0n);
      case "comm":
        return;
      default:
        return unreachable(value);
    }
  }

  #stack(record: Virtual, index: number, place: EventField): void {
    const builder = this.#builder;
    const { offset, value } = place;
    assert(value.kind === "stack", "a stack in a field that is none");
    // Kernel: BPF_F_USER_STACK.
    const flags = value.space === "user" ? 0x100n : 0n;
    const room = { address: record, offset: offset + stackParts.addresses };
    const written = builder.call("get_stack", [context, room, BigInt(8 * value.depth), flags]);
    builder.store(record, offset, 4, written);
    const { returnAddress } = this.#options;
    if (value.space === "kernel" || returnAddress === undefined) {
      builder.store(record, offset + stackParts.rule, 4, 0n);
      builder.store(record, offset + stackParts.returnAddress, 8, 0n);
      return;
    }
    const cookie = builder.callStable("get_attach_cookie", [context]);
    builder.store(record, offset + stackParts.rule, 4, builder.compute("rsh", 64, cookie, 32n));
    this.#orFault(record, index, place, () =>
      builder.store(record, offset + stackParts.returnAddress, 8, this.#values.placed(returnAddress)),
    );
  }

  /** Why: waking the reader costs four times the rest, so it is woken when much waits for it, and looks by itself otherwise. */
  #submit(record: Virtual): void {
    const builder = this.#builder;
    // Kernel: BPF_RB_AVAIL_DATA 0, BPF_RB_NO_WAKEUP 1, BPF_RB_FORCE_WAKEUP 2.
    const waiting = builder.call("ringbuf_query", [{ map: eventsMap }, 0n]);
    const flags = builder.copy(1n);
    const [wake, submit] = [builder.block("wake"), builder.block("submit")];
    builder.branch("gt", 64, waiting, BigInt(this.#options.ring.wakeBytes), wake, submit);
    builder.enter(wake);
    builder.copy(2n, flags);
    builder.jump(submit);
    builder.enter(submit);
    builder.run("ringbuf_submit", [record, flags]);
  }
}
