/**
 * Owns the keys under which what is open is found again: by a place of the stack, or, of a pair without a frame in common, by how many
 * others are open in the thread. Does not own what is kept under them (spans.ts).
 */
import { assert } from "../../base/assert.js";
import { context } from "../ir.js";
import type { Operand, StackSlot, Virtual } from "../ir.js";
import type { SpanOption } from "../options.js";
import { findRegister } from "../registers.js";
import { depthOfThread, frameKeyBytes, frameParts, mostNested, poppedAtReturn } from "../span.js";
import type { Architecture, FramePlace } from "../target.js";
import type { BlockNumber, Builder } from "./builder.js";

export interface KeySurroundings {
  readonly span: SpanOption;
  readonly architecture: Architecture;
  /** Of a pair: where the frame is that its ends have in common; undefined: they are joined by their order. */
  readonly frame: FramePlace | undefined;
}

export interface SpanKey {
  readonly address: StackSlot;
  readonly offset: number;
}

export class SpanKeys {
  readonly #builder: Builder;
  readonly #surroundings: KeySurroundings;
  /** Where keys are put together. */
  readonly slot: StackSlot;

  constructor(builder: Builder, surroundings: KeySurroundings) {
    this.#builder = builder;
    this.#surroundings = surroundings;
    this.slot = builder.slot(frameKeyBytes);
  }

  /** The ends of a pair that have no frame in common. */
  get isOrdered(): boolean {
    const { span, frame } = this.#surroundings;
    return span.apart !== undefined && frame === undefined;
  }

  placeAtBeginning(): Virtual {
    const { frame } = this.#surroundings;
    return frame === undefined ? this.#above("sp", 0n) : this.#above(frame.register, frame.distance);
  }

  placeAtEnd(): Virtual {
    const { frame, architecture } = this.#surroundings;
    return frame === undefined
      ? this.#above("sp", -poppedAtReturn[architecture])
      : this.#above(frame.register, frame.distance);
  }

  /** Puts the key together: for a place of the stack, or a depth. */
  at(place: Operand): SpanKey {
    const builder = this.#builder;
    const cookie = builder.callStable("get_attach_cookie", [context]);
    builder.store(this.slot, frameParts.thread, 8, builder.callStable("get_current_pid_tgid"));
    builder.store(this.slot, frameParts.stackPointer, 8, place);
    // The low half of the cookie, and the zero behind it.
    builder.store(this.slot, frameParts.site, 8, builder.extend(cookie, 32, "zeros", 64));
    return { address: this.slot, offset: 0 };
  }

  /** How many pairs are open in the thread. */
  readDepth(): Virtual {
    const builder = this.#builder;
    const depth = builder.copy(0n);
    const [known, read] = [builder.block("known"), builder.block("read")];
    const place = this.#findDepth();
    builder.branch("eq", 64, place, 0n, read, known);
    builder.enter(known);
    builder.copy(builder.load(place, 0, 8), depth);
    builder.jump(read);
    builder.enter(read);
    return depth;
  }

  /** Counts the pair that has begun at this depth; what began so many before it is given up, and a frame left there goes with it. */
  putDepth(slot: StackSlot, depth: Virtual): void {
    const builder = this.#builder;
    const { map } = this.#surroundings.span;
    builder.store(slot, 0, 8, builder.compute("add", 64, depth, 1n));
    const key = this.at(depthOfThread);
    builder.run("map_update_elem", [{ map }, key, { address: slot, offset: 0 }, 0n]);
    const [tooDeep, done] = [builder.block("too deep", "seldom"), builder.block("counted")];
    builder.branch("ge", 64, depth, mostNested, tooDeep, done);
    builder.enter(tooDeep);
    builder.run("map_delete_elem", [{ map }, this.at(builder.compute("sub", 64, depth, mostNested))]);
    builder.jump(done);
    builder.enter(done);
  }

  /** Goes on with the depth of the pair that ends, which is open no longer; to `none` where nothing is open. */
  takeDepth(none: BlockNumber): Virtual {
    const builder = this.#builder;
    const place = this.#findDepth();
    const [known, open] = [builder.block("known"), builder.block("open")];
    builder.branch("eq", 64, place, 0n, none, known);
    builder.enter(known);
    const pending = builder.load(place, 0, 8);
    builder.branch("eq", 64, pending, 0n, none, open);
    builder.enter(open);
    const depth = builder.compute("sub", 64, pending, 1n);
    // Kernel: what was looked up just now is not the next that an LRU map gives to another key (bpf_lru_node_set_ref).
    builder.store(place, 0, 8, depth);
    return depth;
  }

  #findDepth(): Virtual {
    const { map } = this.#surroundings.span;
    return this.#builder.call("map_lookup_elem", [{ map }, this.at(depthOfThread)]);
  }

  #above(register: string, distance: bigint): Virtual {
    const builder = this.#builder;
    const offset = findRegister(this.#surroundings.architecture, register);
    assert(offset !== undefined, `a machine without the register ${register}`);
    return builder.compute("add", 64, builder.loadStable(context, offset, 8), distance);
  }
}
