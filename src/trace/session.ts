/**
 * Owns what a trace has in the kernel: maps, loaded programs, links and the ring buffer, from open to close.
 * Does not own what is traced (prepare.ts) nor for how long (run.ts).
 */
import { assert } from "../base/assert.js";
import type { MapSpec, ProgramSpec } from "../bpf/spec.js";
import { createMap } from "../kernel/maps.js";
import type { KernelMap } from "../kernel/maps.js";
import { loadProgram, readProgram } from "../kernel/programs.js";
import type { KernelProgram } from "../kernel/programs.js";
import { openRingBuffer } from "../kernel/ringbuffer.js";
import type { RingBuffer } from "../kernel/ringbuffer.js";
import { RefusedPlaceError } from "../kernel/uprobes.js";
import type { UprobeLink, UprobeRequest, UprobeSite } from "../kernel/uprobes.js";
import { siteOf } from "../lang/event.js";
import { tunablesMap } from "../lang/maps.js";
import type { EventRecord } from "./events.js";
import { Gathered, u32Bytes } from "./gathered.js";
import { EventStream } from "./stream.js";
import type { Drained } from "./stream.js";
import type { AttachWay, KernelWays } from "./way.js";

/** Places of one program in one file that are armed together. */
export interface Attachment {
  /** Number of the probe that the places belong to. */
  readonly probe: number;
  readonly program: ProgramSpec;
  /** What the kernel opens: /proc/self/fd/N of the file that was parsed. */
  readonly openPath: string;
  readonly shownPath: string;
  readonly returns: boolean;
  readonly sites: readonly UprobeSite[];
  /** Processes to arm the places in; empty: in all, now and later. */
  readonly pids: readonly number[];
}

export interface SessionRequest {
  readonly maps: readonly MapSpec[];
  readonly attachments: readonly Attachment[];
  readonly way: AttachWay;
  readonly kernel: KernelWays;
  /** Members of the "pids" map, when the programs use it. */
  readonly members: readonly number[];
  /** Asks the verifier for its totals. */
  readonly statistics: boolean;
}

/** A place that the kernel did not take; the others of its probe stand without it. */
export interface RefusedSite {
  /** Its number, which is in its cookie. */
  readonly site: number;
  /** In the kernel's words. */
  readonly reason: string;
}

/** What stands in the kernel, and how it came to. */
interface Linked {
  link: UprobeLink;
  readonly attach: KernelWays["attachMulti"];
  readonly request: UprobeRequest;
}

/** At once. More are no single gaps in what uscope knows of the kernel; each costs a search among all places of its file. */
const mostRefusals = 16;

export class Session implements Disposable {
  /** Per program: its name and what the verifier says of it. */
  readonly verified: { readonly name: string; readonly statistics: string }[] = [];
  readonly refused: RefusedSite[] = [];
  /** What stands: places, each once in however many processes, and the files that hold them. */
  readonly armed = { places: 0, files: 0 };
  /** Closed in reverse order. Why not DisposableStack: Node has it from 24 on. */
  readonly #opened: Disposable[] = [];
  /** What programs have counted and gathered; can be read when all is closed too, where the session was settled before. */
  readonly gathered: Gathered;
  readonly #maps = new Map<string, KernelMap>();
  readonly #arming: Pick<SessionRequest, "way" | "kernel" | "statistics">;
  readonly #programs = new Map<ProgramSpec, KernelProgram>();
  #files = new Set<string>();
  #keptMisses: bigint | undefined;
  readonly #links: Linked[] = [];
  readonly #ring: RingBuffer;
  readonly #stream: EventStream;

  /** Loads and arms everything; when that fails nothing is left behind. */
  constructor(request: SessionRequest) {
    this.gathered = new Gathered(this.#maps);
    this.#arming = request;
    try {
      for (const spec of request.maps) this.#maps.set(spec.name, this.#open(createMap(spec)));
      this.#ring = this.#open(openRingBuffer(this.#requireMap("events")));
      const { bytes } = this.#ring;
      this.#stream = new EventStream({
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
        view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
        read: (visit, limit) => this.#ring.read(visit, limit),
        release: () => this.#ring.release(),
      });
      for (const pid of request.members) this.addMember(pid);
      this.add(request.attachments);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Loads and arms more, and says which places the kernel refused; when that fails nothing of it stands. Programs that are loaded
   * already are not loaded again.
   */
  add(attachments: readonly Attachment[]): readonly RefusedSite[] {
    const standing = this.#links.length;
    const refused = this.refused.length;
    const { places } = this.armed;
    const files = [...this.#files];
    try {
      this.#attachAll(attachments);
      return this.refused.slice(refused);
    } catch (error) {
      for (const { link } of this.#links.splice(standing).reverse()) link[Symbol.dispose]();
      this.refused.splice(refused);
      this.#files = new Set(files);
      this.armed.places = places;
      this.armed.files = files.length;
      throw error;
    }
  }

  /**
   * Arms the places anew that stand in one process by itself, and returns how many. Kernel: a link with a pid holds the first thread's task_struct; when another thread calls
   * exec, that one is gone and the process lives on under its pid, without the link. Throws what the kernel says; what stood is gone then.
   */
  renew(pid: number): number {
    const gone = this.#links.filter((linked) => linked.request.pid === pid);
    for (const linked of gone) linked.link[Symbol.dispose]();
    for (const linked of gone) {
      try {
        linked.link = linked.attach(linked.request);
      } catch (error) {
        for (const other of gone) other.link[Symbol.dispose]();
        throw error;
      }
    }
    return gone.reduce((sum, { request }) => sum + request.sites.length, 0);
  }

  /** Adds a process to those that the programs look at. */
  addMember(pid: number): void {
    this.#requireMap("pids").update(u32Bytes(pid), u32Bytes(1));
  }

  removeMember(pid: number): void {
    this.#requireMap("pids").delete(u32Bytes(pid));
  }

  /** The processes that programs look at. */
  members(): number[] {
    return this.#requireMap("pids")
      .entries()
      .map(({ key }) => new DataView(key.buffer, key.byteOffset).getUint32(0, true));
  }

  /** Says whether programs look at a process: one that was added, or that a program has found to be a child. */
  isMember(pid: number): boolean {
    return this.#requireMap("pids").lookup(u32Bytes(pid)) !== undefined;
  }

  /** Hands on events in kernel time, one slice of what waits; with a window of 0 all that have come. */
  drain(visit: (record: EventRecord) => void, window?: number): Drained {
    return this.#stream.drain(visit, window);
  }

  /** Events handed on after a younger one. */
  get late(): number {
    return this.#stream.late;
  }

  /** Calls back when a program has asked for attention. */
  onReadable(callback: () => void): Disposable {
    return this.#ring.onReadable(callback);
  }

  /** Sets a tunable number: programs that are hit from now on see it. */
  tune(number: number, value: bigint): void {
    // Why: what is handed over need not be used, and then no program has the map.
    if (!this.#maps.has(tunablesMap)) return;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, value, true);
    this.#requireMap(tunablesMap).update(u32Bytes(number), bytes);
  }

  /** Hits that the kernel skipped because another program ran on that CPU (PMU, before 6.0), all programs together. */
  recursionMisses(): bigint {
    return (
      this.#keptMisses ??
      [...this.#programs.values()].reduce((sum, program) => sum + readProgram(program).recursionMisses, 0n)
    );
  }

  /** Disarms all places; events already sent can still be drained. */
  disarm(): void {
    // Why backwards: of a span the returns go first, so that none is seen whose entry was not.
    for (const { link } of this.#links.splice(0).reverse()) link[Symbol.dispose]();
  }

  /** Disarms, keeps what was counted and gathered, and closes everything else. */
  settle(): void {
    this.disarm();
    this.gathered.keep();
    this.#keptMisses ??= this.recursionMisses();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.disarm();
    for (const opened of this.#opened.splice(0).reverse()) opened[Symbol.dispose]();
  }

  #attachAll(attachments: readonly Attachment[]): void {
    const { way, kernel } = this.#arming;
    const left = new PlacesLeft(attachments);
    for (const attachment of attachments) {
      const { sites } = attachment;
      const program = this.#load(attachment.program);
      // Why one by one: the PMU arms them so, and one that is refused then undoes no other, which takes 0.1 s a place.
      const batches = way === "uprobe_multi" ? [sites] : sites.map((site) => [site]);
      const attach = way === "uprobe_multi" ? kernel.attachMulti : kernel.attachPmu;
      for (const batch of batches) {
        const standing = this.#attach(attach, { ...attachment, sites: batch }, program, left);
        this.armed.places += standing;
        if (standing > 0) this.#files.add(attachment.openPath);
      }
    }
    this.armed.files = this.#files.size;
  }

  #load(spec: ProgramSpec): KernelProgram {
    const { way, statistics } = this.#arming;
    const known = this.#programs.get(spec);
    if (known !== undefined) return known;
    const program = this.#open(loadProgram(spec, this.#maps, { multi: way === "uprobe_multi", statistics }));
    this.#programs.set(spec, program);
    if (program.statistics !== undefined)
      this.verified.push({ name: spec.name, statistics: program.statistics });
    return program;
  }

  /** Arms the places in each process, without those that the kernel refuses; returns how many stand. */
  #attach(
    attach: KernelWays["attachMulti"],
    { probe, openPath, shownPath, returns, sites, pids }: Attachment,
    program: KernelProgram,
    left: PlacesLeft,
  ): number {
    let wanted = sites;
    for (const pid of pids.length === 0 ? [undefined] : pids) {
      let linked: Linked | undefined;
      while (linked === undefined && wanted.length > 0) {
        const request = { program, openPath, shownPath, returns, sites: wanted, pid };
        try {
          linked = { link: attach(request), attach, request };
        } catch (error) {
          if (!(error instanceof RefusedPlaceError) || left.refused >= mostRefusals) throw error;
          // Why: a probe without any place would wait for nothing.
          if (left.take(probe) === 0) throw error;
          const { site, what } = error;
          this.refused.push({ site: siteOf(site.cookie), reason: what });
          wanted = wanted.filter((other) => other !== site);
        }
      }
      if (linked !== undefined) this.#links.push(linked);
    }
    return wanted.length;
  }

  #open<Opened extends Disposable>(opened: Opened): Opened {
    this.#opened.push(opened);
    return opened;
  }

  #requireMap(name: string): KernelMap {
    const map = this.#maps.get(name);
    assert(map, `no map "${name}"`);
    return map;
  }
}

/** How many places of each probe the kernel has not refused. */
class PlacesLeft {
  readonly #counts = new Map<number, number>();
  refused = 0;

  constructor(attachments: readonly Attachment[]) {
    for (const { probe, sites } of attachments)
      this.#counts.set(probe, (this.#counts.get(probe) ?? 0) + sites.length);
  }

  /** Takes one away and returns how many are left. */
  take(probe: number): number {
    const left = this.#counts.get(probe)! - 1;
    this.#counts.set(probe, left);
    this.refused++;
    return left;
  }
}
