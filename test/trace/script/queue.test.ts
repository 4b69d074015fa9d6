/** The events that wait for a consumer: in order, each to one who asked, and not kept once they are handed out. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { EventQueue } from "../../../src/trace/script/queue.js";

const stay = async (): Promise<void> => {};

it("answers each of several who ask at once", async () => {
  const queue = new EventQueue<number>(stay);
  const asked = [queue.next(), queue.next(), queue.next(), queue.next()];
  queue.push(1);
  queue.push(2);
  queue.end({ error: new Error("broken") });
  expect(await Promise.allSettled(asked)).toMatchObject([
    { value: { done: false, value: 1 } },
    { value: { done: false, value: 2 } },
    { reason: { message: "broken" } },
    { value: { done: true } },
  ]);
  expect(await queue.next()).toEqual({ done: true, value: undefined });
});

it("forgets what a consumer that always lags behind was handed", async () => {
  const queue = new EventQueue<object>(stay);
  const handed: WeakRef<object>[] = [];
  for (let number = 0; number < 40_000; number++) {
    const event = { number };
    if (number % 1000 === 0) handed.push(new WeakRef(event));
    queue.push(event);
    if (number > 0) await queue.next();
  }
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // Why: what a WeakRef was made of lives until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  // As many may wait as are kept behind them: 16,384.
  expect(handed.filter((event) => event.deref() !== undefined).length).toBeLessThan(18);
  expect((await queue.next()).value).toEqual({ number: 39_999 });
});
