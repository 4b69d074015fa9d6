/* Markers as compilers write them: arguments of every width in registers, memory, variables and constants, twelve at once,
 * several places of one marker by inlining, one name with two providers, and semaphores. */
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#define SEMAPHORE(name) __extension__ unsigned short name##_semaphore __attribute__((section(".probes"), used));
SEMAPHORE(shapes_inlined)
SEMAPHORE(shapes_widths)
SEMAPHORE(shapes_memory)
SEMAPHORE(shapes_variables)
SEMAPHORE(shapes_real)
SEMAPHORE(shapes_constants)
SEMAPHORE(shapes_twelve)
SEMAPHORE(shapes_two__words)
SEMAPHORE(other_shapes_widths)

signed char signed_byte = -1;
unsigned char unsigned_byte = 0xfe;
static short hidden_short = -300;
unsigned short table[8] = {1, 2, 3, 4, 5, 6, 7, 8};
struct {
  long first;
  int second;
} pair = {-5, 6};
static double ratio = 0.5;
__thread int per_thread = 7;

static inline __attribute__((always_inline)) void inlined(long value) {
  DTRACE_PROBE1(shapes, inlined, value);
}

__attribute__((noinline)) void widths(char a, unsigned char b, short c, unsigned short d, int e, unsigned f, long g, unsigned long h) {
  STAP_PROBE8(shapes, widths, a, b, c, d, e, f, g, h);
}

__attribute__((noinline)) void memory(int *values, long index) {
  STAP_PROBE6(shapes, memory, *values, values[2], values[-1], values[index], table[index], pair.second);
  hidden_short++;
  STAP_PROBE6(shapes, variables, signed_byte, unsigned_byte, hidden_short, pair.first, table[3], per_thread);
  DTRACE_PROBE2(shapes, real, ratio, (float)ratio);
  ratio += 1;
}

__attribute__((noinline)) void constants(void) {
  STAP_PROBE6(shapes, constants, 5, -5, 0xffffffffu, -1L, (char)-7, 1ul << 63);
}

__attribute__((noinline)) void twelve(long a, long b, long c, long d, long e, long f) {
  STAP_PROBE12(shapes, twelve, a, b, c, d, e, f, (int)a, (short)b, (char)c, 10, -11, table);
}

int main(int argc, char **argv) {
  int values[4] = {argc, 2, 3, 4};
  widths(1, 2, 3, 4, 5, 6, 7, 8);
  memory(values + 1, argc);
  constants();
  twelve(1, 2, 3, 4, 5, 6);
  inlined(argc);
  inlined(-argc);
  inlined(values[1]);
  DTRACE_PROBE1(other_shapes, widths, argv);
  DTRACE_PROBE(shapes, two__words);
  return 0;
}
