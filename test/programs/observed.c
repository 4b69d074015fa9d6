/* Calls functions in known numbers, by the mode given: the oracle for events, spans and aggregates.
 *
 *   observed recurse DEPTH TIMES    recurse(DEPTH) calls itself down to 0, TIMES times
 *   observed leap TIMES             every second leaps(i) leaves by longjmp and never returns
 *   observed never TIMES            never(i) leaves by longjmp each time
 *   observed texts TIMES            say() with "set", "octi", "fest" in turn; each fourth a NULL, each fifth an unmapped address
 *   observed threads THREADS TIMES  each thread calls step(i) TIMES times
 *   observed fork TIMES             step() TIMES times in the parent and as often in a child
 *   observed keys COUNT             step(i) with COUNT distinct numbers
 *   observed wait                   step(i) once a line of its input, with the number read; prints a dot
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf back;
volatile long sink;

__attribute__((noinline)) long recurse(long depth) { return depth == 0 ? 0 : 1 + recurse(depth - 1) + (sink & 0); }
__attribute__((noinline)) int leaps(int i)
{
	if (i % 2 == 1)
		longjmp(back, 1);
	sink += i;
	return i * 2;
}
__attribute__((noinline)) void never(int i)
{
	sink += i;
	longjmp(back, 1);
}
__attribute__((noinline)) int outer(int i)
{
	int r = leaps(i);
	sink += r;
	return r + 1;
}
__attribute__((noinline)) size_t say(const char *text, size_t length, int code)
{
	sink += code;
	return length;
}
__attribute__((noinline)) long step(long i)
{
	sink = i;
	return i + 1;
}

static long times;

static void *run(void *unused)
{
	for (long i = 0; i < times; i++)
		step(i);
	return unused;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long first = argc > 2 ? atol(argv[2]) : 0, second = argc > 3 ? atol(argv[3]) : 0;
	if (!strcmp(mode, "recurse"))
		for (long i = 0; i < second; i++)
			recurse(first);
	if (!strcmp(mode, "leap"))
		for (volatile int i = 0; i < first; i++)
			if (!setjmp(back))
				outer(i);
	if (!strcmp(mode, "never"))
		for (volatile int i = 0; i < first; i++)
			if (!setjmp(back))
				never(i);
	if (!strcmp(mode, "texts")) {
		const char *words[] = { "set", "octi", "fest" };
		for (long i = 1; i <= first; i++)
			if (i % 5 == 0)
				say((const char *)8, 4, i);
			else if (i % 4 == 0)
				say(NULL, 4, i);
			else
				say(words[i % 3], strlen(words[i % 3]), i);
	}
	if (!strcmp(mode, "threads")) {
		pthread_t threads[64];
		times = second;
		for (long i = 0; i < first; i++)
			pthread_create(&threads[i], NULL, run, NULL);
		for (long i = 0; i < first; i++)
			pthread_join(threads[i], NULL);
	}
	if (!strcmp(mode, "fork")) {
		times = first;
		if (fork() == 0) {
			run(NULL);
			_exit(0);
		}
		run(NULL);
		wait(NULL);
	}
	if (!strcmp(mode, "keys")) {
		times = first;
		run(NULL);
	}
	if (!strcmp(mode, "wait")) {
		long number;
		puts("ready");
		fflush(stdout);
		while (scanf("%ld", &number) == 1) {
			step(number);
			puts(".");
			fflush(stdout);
		}
	}
	return 0;
}
