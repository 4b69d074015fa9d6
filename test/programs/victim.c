/* Calls functions whose arguments are known, once a round, so that a tracer's output can be compared word by word.
 *
 *   victim ROUNDS [PAUSE_MS]      the calls of each round are told on stderr at the end: "rounds N"
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone, noipa))

struct pair { int32_t first; int64_t second; const char *name; };

NOINLINE int integers(int8_t a, uint16_t b, int32_t c, uint64_t d) { __asm__ volatile(""); return a + b + c + (int)d; }
NOINLINE long many(long a, long b, long c, long d, long e, long f, long g, int h, const char *i) { __asm__ volatile(""); return a + b + c + d + e + f + g + h + i[0]; }
NOINLINE const char *text(const char *text, size_t length) { __asm__ volatile("" : : "r"(text), "r"(length)); return text; }
NOINLINE int pointers(struct pair *pair, int *values, char **names) { __asm__ volatile(""); return pair->first + values[3] + names[1][0]; }
NOINLINE int result(int value) { __asm__ volatile(""); return value * -3; }
NOINLINE int recursive(int depth) 
{
	int below = depth == 0 ? -1 : recursive(depth - 1);
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}
NOINLINE int child_work(int value) { __asm__ volatile(""); return value + 1; }

int never_called(int value) { return value; }

int main(int count, char **words)
{
	long rounds = count > 1 ? atol(words[1]) : 1;
	long pause = count > 2 ? atol(words[2]) : 0;
	int forks = count > 3;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 4096, 4096);
	memcpy(page + 4096 - 5, "edge", 5);
	char lengthy[301];
	memset(lengthy, 'x', 300);
	lengthy[300] = 0;
	for (long round = 0; round < rounds; round++) {
		struct pair pair = { -7, 1LL << 40, "pair" };
		int values[] = { 10, 20, 30, -40 };
		char *names[] = { "zero", "one" };
		integers(-5, 65535, -100000, 0xfedcba9876543210ULL);
		many(1, 2, 3, 4, 5, 6, 77, -8, "nine");
		text("plain", 5);
		text("line\r\n\x1b[31mred", 14);
		text(page + 4096 - 5, 4);
		text(NULL, 0);
		text((char *)8, 0);
		text(lengthy, 300);
		text("caf\xc3\xa9 \xff", 7);
		pointers(&pair, values, names);
		result((int)round);
		recursive(3);
		if (forks) {
			pid_t child = fork();
			if (child == 0) {
				pid_t grandchild = fork();
				if (grandchild == 0)
					_exit(child_work(2));
				child_work(1);
				waitpid(grandchild, NULL, 0);
				_exit(0);
			}
			waitpid(child, NULL, 0);
		}
		if (pause > 0)
			usleep((useconds_t)pause * 1000);
	}
	fprintf(stderr, "rounds %ld\n", rounds);
	return 0;
}
