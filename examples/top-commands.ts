/**
 * The words that a redis-server sees most, each second.
 *
 *     uscope run examples/top-commands.ts 10
 */
import { counter, observe, uprobe } from "uscope";

const words = counter({ key: { text: "text(24)" } });

export default (top = "10", program = "redis-server") => {
  const strings = uprobe(
    `${program}:createStringObject`,
    (p, { words }) => {
      words.add({ text: p.text(p.arg(0), { length: p.arg(1) }) });
    },
    { using: { words } },
  );
  return observe(strings).intervals(words, { seconds: 1, top: Number(top) });
};
