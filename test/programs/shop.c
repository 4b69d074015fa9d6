/* shop: passes its markers as often as it is told to, with known values: `sale` (text with a length, text with its zero, a price, a
 * small number, a truth, an address, a floating-point number), `step` at two places that differ in width, `opened` and `closed`. */
#include <sys/sdt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static const char goods[] = "applepearplum";

__attribute__((noipa)) static void sell(uint64_t round, bool isNew) {
  /* No zero stands behind the names. */
  const char *name = goods + (round % 3 == 0 ? 0 : round % 3 == 1 ? 5 : 9);
  int length = round % 3 == 0 ? 5 : 4;
  STAP_PROBE8(shop, sale, name, length, "a customer", (1ull << 63) + round, (short)-round, isNew, &goods[0], 0.5);
}

__attribute__((noipa)) static void narrow(int round) { STAP_PROBE1(shop, step, round); }
__attribute__((noipa)) static void wide(long round) { STAP_PROBE1(shop, step, round << 32); }
__attribute__((noipa)) static void flags(unsigned mask) { STAP_PROBE2(shop, flags, mask, 7); }

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 3;
  STAP_PROBE(shop, opened);
  for (long round = 0; round < rounds; round++) {
    sell(round, round % 2 == 0);
    narrow(-round);
    wide(round);
    flags(round << 8);
    STAP_PROBE1(store, sale, round);
  }
  STAP_PROBE(shop, closed);
  return 0;
}
