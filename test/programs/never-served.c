// Two processes: "sleep" passes a pointer into a page that userfaultfd promises and nobody ever serves, "tick" passes a text
// ten times a second. The first stays in its page fault for as long as it lives.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) long show(const char *text, const int *number) {
  __asm__ volatile("" ::"r"(text), "r"(number) : "memory");
  return text != NULL;
}

// A page whose first reader waits for ever; NULL where the kernel does not permit that.
static char *never_served_page(void) {
  long page = sysconf(_SC_PAGESIZE);
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
  char *start = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  range.range.start = (unsigned long)start;
  range.range.len = (unsigned long)page;
  if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &range) < 0) return NULL;
  return start;
}

int main(int argc, char **argv) {
  static const int number = 7;
  char line[16];
  setvbuf(stdout, NULL, _IONBF, 0);
  char *text = "tick";
  if (argc > 1 && strcmp(argv[1], "sleep") == 0) {
    text = never_served_page();
    if (text == NULL) {
      puts("not permitted");
      return 0;
    }
  }
  puts("ready");
  while (fgets(line, sizeof line, stdin)) {
    do {
      show(text, argc > 2 ? (const int *)text : &number);
      puts("shown");
      usleep(100 * 1000);
    } while (line[0] == 'r');
  }
  return 0;
}
