/**
 * Owns taking the stack of a hit, as event.ts draws it, but for the address that the function returns to: reading that may fail.
 * Does not own where it is put (events.ts, keys.ts).
 */
import { stackParts } from "../event.js";
import type { FieldKind } from "../event.js";
import { context } from "../ir.js";
import type { Builder } from "./builder.js";
import type { Destination } from "./user-memory.js";

/** Where the direct caller is: in a frame, as the kernel finds it; or only where the function returns to, from where it must be put in. */
export type CallerPlace = "in its frame" | "at the return address";

/** Takes a stack. Where the caller is at the return address, that is still to be written. */
export function takeStack(
  builder: Builder,
  { base, offset }: Destination,
  { space, depth }: Extract<FieldKind, { kind: "stack" }>,
  caller: CallerPlace,
): void {
  // Kernel: BPF_F_USER_STACK.
  const flags = space === "user" ? 0x100n : 0n;
  const room = { address: base, offset: offset + stackParts.addresses };
  builder.store(base, offset, 4, builder.call("get_stack", [context, room, BigInt(8 * depth), flags]));
  if (caller === "in its frame") {
    builder.store(base, offset + stackParts.rule, 4, 0n);
    builder.store(base, offset + stackParts.returnAddress, 8, 0n);
    return;
  }
  const cookie = builder.callStable("get_attach_cookie", [context]);
  builder.store(base, offset + stackParts.rule, 4, builder.compute("rsh", 64, cookie, 32n));
}
