/** Owns the names and meanings of errno values. Does not own advice, which is hints.ts. */
import { getSystemErrorMap } from "node:util";

/** Kernel: an internal errno that leaks to user space from uprobes and BPF; no libc knows it. */
export const ENOTSUPP = 524;

/** The values that decisions are made on. Spec: include/uapi/asm-generic/errno-base.h and errno.h. */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EOPNOTSUPP: 95,
  ENOTSUPP,
} as const;

/** Returns the name and meaning of an errno, "EPERM" and "operation not permitted". */
export function describeErrno(number: number): { readonly name: string; readonly meaning: string } {
  if (number === ENOTSUPP) return { name: "ENOTSUPP", meaning: "operation not supported" };
  // Why here: libuv, which Node asks, does not know it.
  if (number === errno.ENOEXEC) return { name: "ENOEXEC", meaning: "exec format error" };
  const known = getSystemErrorMap().get(-number);
  if (known === undefined) return { name: `errno ${number}`, meaning: "an errno without a name" };
  return { name: known[0] === "ENOTSUP" ? "EOPNOTSUPP" : known[0], meaning: known[1] };
}
