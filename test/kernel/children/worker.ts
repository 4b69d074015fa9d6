/** Opens rings and watches in worker threads that end in different ways, and prints "done" when all of them have. */
import { once } from "node:events";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { createMap } from "../../../src/kernel/maps.js";
import { openRingBuffer } from "../../../src/kernel/ringbuffer.js";
import { ringMap } from "../programs.js";

const map = createMap(ringMap(65_536));
const ring = openRingBuffer(map);
const watch = ring.onReadable(() => {});
if (isMainThread) {
  for (const way of ["leave open", "dispose", "exit", "terminate"]) {
    const worker = new Worker(new URL(import.meta.url), { workerData: way });
    if (way === "terminate") {
      await once(worker, "message");
      await worker.terminate();
    } else {
      await once(worker, "exit");
    }
  }
  console.log(`done ${ring.bytes.length}`);
  // The watch of this thread is still there: it must not keep the process alive.
} else if (workerData === "dispose") {
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  ring[Symbol.dispose]();
  map[Symbol.dispose]();
} else if (workerData === "exit") {
  process.exit(0);
} else if (workerData === "terminate") {
  const { parentPort } = await import("node:worker_threads");
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  setInterval(() => parentPort!.postMessage("running"), 5);
}
