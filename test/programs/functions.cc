/* Names to search for: overloads, templates, same-named statics, aliases, an ifunc, an exception, many arguments. */
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

#define KEEP __attribute__((noinline, used, noclone))

namespace shop {
KEEP int price(int item) { return item * 3 + getpid() % 1; }
KEEP int price(int item, const char *coupon) { return item * 2 + (coupon ? coupon[0] : 0); }
template <typename Kind> KEEP Kind total(Kind first, Kind second) { return first + second; }
struct Cart {
  int items;
  KEEP int count(std::string label) const { return items + (int)label.size(); }
  KEEP ~Cart() { items = 0; }
  KEEP int operator()(int more) { return items + more; }
};
KEEP int risky(int item) {
  if (item > 1000) throw item;
  return item;
}
KEEP int guarded(int item) {
  std::string cleanup(item, 'x');
  return risky(item) + (int)cleanup.size();
}
}  // namespace shop

extern "C" {
KEEP long eight(long a, long b, long c, long d, long e, long f, long g, long h) { return a + b + c + d + e + f + g * 10 + h; }
KEEP int plain(int value) { return value + 1; }
int plain_alias(int value) __attribute__((alias("plain")));
static int chosen(int value) { return value + 2; }
static int (*choose(void))(int) { return chosen; }
int dispatched(int value) __attribute__((ifunc("choose")));
/* Starts with an instruction that the kernel refuses: a LOCK prefix. */
__asm__(".globl locked\n.type locked,@function\nlocked: lock addl $0,-8(%rsp)\nmov %edi,%eax\nret\n.size locked,.-locked\n");
/* Data that looks like a function, and a function without a size. */
__asm__(".data\n.globl not_code\n.type not_code,@function\nnot_code: .quad 1\n.size not_code,8\n.text\n");
__asm__(".globl sizeless\n.type sizeless,@function\nsizeless: mov %edi,%eax\nret\n");
int locked(int), sizeless(int);
}

int main(int argc, char **argv) {
  shop::Cart cart{argc};
  long sum = shop::price(argc) + shop::price(argc, argv[0]) + shop::total(1, argc) + shop::total(1.0, 2.0);
  sum += cart.count("a label") + cart(2) + shop::guarded(argc) + plain(argc) + plain_alias(2) + dispatched(3);
  sum += eight(1, 2, 3, 4, 5, 6, 7, 8) + locked(1) + sizeless(1);
  if (argc > 1) {
    puts("ready");
    fflush(stdout);
    sleep(atoi(argv[1]));
  }
  return sum == 42;
}
