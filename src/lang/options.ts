/**
 * Owns what a session tells the compiler: which processes, which columns, how much text, and what the kernel can do.
 * Does not own the command line's options (cli/) nor how a session finds these numbers (trace/).
 */
import type { AggregateSpec } from "./aggregates.js";
import type { KeptLayout } from "./span.js";

export interface CompileOptions {
  /** Bytes of text per field at most. */
  readonly textLimit: number;
  /** What stands in every event besides time, thread, process and site. */
  readonly columns: {
    readonly cpu: boolean;
    readonly comm: boolean;
    readonly uid: boolean;
    /** Also what the process and the thread are called in their own pid namespace. */
    readonly namespaceIds?: NamespaceIds | undefined;
  };
  /** Frames of each stack at most; 0 is none. */
  readonly stacks: { readonly user: number; readonly kernel: number };
  readonly filter: ProcessFilter;
  /** This kernel can load sleepable uprobe programs. They are made only where user memory is read. */
  readonly sleepable: boolean;
  /** The probe's number in the map `counters`. */
  readonly firstProbe: number;
  /** Count hits before the filter too: who is left out pays for them all the same. */
  readonly countsReached?: boolean;
  /** The reader is woken when more than this waits for it. */
  readonly ring: { readonly wakeBytes: number };
  /** What the probe updates, by its places in the tree. */
  readonly aggregates?: readonly AggregateOption[];
  /** For how many sites those have room that are indexed by site; 1 where nothing is said. */
  readonly sites?: number;
  /** The probe is one end of a span. */
  readonly span?: SpanOption;
  /** Frames of a stack among the author's values at most. */
  readonly stackDepth?: number;
}

/** Where the kernel keeps what a thread is called in the pid namespaces that it is in, in bytes. */
export interface NamespaceIds {
  /** In task_struct. */
  readonly groupLeader: number;
  readonly threadPid: number;
  /** In struct pid: the depth of the innermost namespace, and the ids by depth. */
  readonly level: number;
  readonly numbers: number;
}

export interface AggregateOption {
  readonly map: string;
  readonly spec: AggregateSpec;
  /** In the map `drops`. */
  readonly number: number;
}

export interface SpanOption {
  /** The map of the calls that are open. */
  readonly map: string;
  /** In the map `drops`: returns without an entry. */
  readonly number: number;
  readonly role: "entry" | "return";
  /** At the entry: calls whose return the kernel will not show are counted, and not kept. Where it says so, if it can be read. */
  readonly deep?: DeepCalls | undefined;
  /** Its ends are any two places, not those of one call. */
  readonly apart?: ApartEnds | undefined;
  /** At the return: what the compiled entry says that it keeps; nothing where it does not say so. */
  readonly kept?: KeptLayout | undefined;
}

export interface ApartEnds {
  /** In the map `drops`: ends whose beginning was given up, since too many others had begun within it. */
  readonly number: number;
}

/** Where the kernel keeps how many probed calls of a thread are open, in bytes: task_struct.utask, and depth behind it. */
export interface DeepCalls {
  /** In the map `drops`. */
  readonly number: number;
  readonly utask: number;
  readonly depth: number;
}

/** Which hits count at all. All that is given must hold. */
export interface ProcessFilter {
  /** Processes (tgid as the root pid namespace has it); none means all. */
  readonly pids: readonly number[];
  readonly tid?: number;
  readonly uid?: number;
  /** uscope's own process. */
  readonly notPid?: number;
  /** A cgroup v2 by its id, and how deep it lies below the root. */
  readonly cgroup?: { readonly id: bigint; readonly level: number };
  /** Exactly this name of a thread is left out, as a launcher's before its exec. At most 15 bytes. */
  readonly notComm?: string;
  /**
   * Also processes with one of `pids` among their 8 nearest ancestors. Where task_struct keeps the two, in bytes, on
   * this kernel.
   */
  readonly children?: { readonly realParent: number; readonly tgid: number };
}

/** More processes than this, or children, are looked up in the map `pids` instead of compared one by one. */
const mostComparedPids = 8;

/** Says whether the processes stand in the map `pids`, which the session fills. */
export function usesPidMap({ pids, children }: ProcessFilter): boolean {
  return pids.length > mostComparedPids || (pids.length > 0 && children !== undefined);
}
