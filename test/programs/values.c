// Waits for a line, then calls watched functions once with values of every kind.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((noinline)) long watch(int a, unsigned b, const char *text, long *numbers, short e, char f, long g, long h) {
  __asm__ volatile("" ::"r"(a), "r"(b), "r"(text), "r"(numbers), "r"(e), "r"(f), "r"(g), "r"(h) : "memory");
  return a - (long)b;
}

// A page of a file that nobody in this process has touched.
static char *untouched_page(const char *path) {
  FILE *file = fopen(path, "w+");
  long page = sysconf(_SC_PAGESIZE);
  static char filler[1 << 16];
  memset(filler, 'x', sizeof filler);
  memcpy(filler + page - 6, "across the border", 18);
  fwrite(filler, 1, (size_t)page * 2, file);
  fflush(file);
  char *mapped = mmap(NULL, (size_t)page * 2, PROT_READ, MAP_PRIVATE, fileno(file), 0);
  unlink(path);
  return mapped + page - 6;
}

int main(int argc, char **argv) {
  long numbers[3] = {-1, 1L << 40, 7};
  char line[16];
  (void)argc;
  setvbuf(stdout, NULL, _IONBF, 0);
  char *untouched = untouched_page(argv[1]);
  long page = sysconf(_SC_PAGESIZE);
  char *end = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(end + page, (size_t)page);
  memcpy(end + page - 4, "end", 4);
  puts("ready");
  while (fgets(line, sizeof line, stdin)) {
    watch(-5, 4000000000u, "plain text", numbers, -3, 'c', 77, 88);
    watch(1, 0, NULL, (long *)(end + page - 4), 3, 'd', -77, -88);
    watch(2, 3, end + page - 4, (long *)16, 3, '\n', 0, 0);
    watch(3, 3, untouched, numbers, 3, '\033', 1, 2);
    puts("done");
  }
  return 0;
}
