/* Calls whose arguments, depths and number are known, for probes that gather them. Waits for a line, then says "done". */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((noinline)) long value(long number, const char *name, unsigned length) {
	__asm__ volatile("" ::: "memory");
	return number + length + (name == NULL);
}

__attribute__((noinline)) int deep(int depth) {
	__asm__ volatile("" ::: "memory");
	return depth == 0 ? 0 : deep(depth - 1) + 1;
}

static jmp_buf behind;

__attribute__((noinline)) int escapes(int how) {
	__asm__ volatile("" ::: "memory");
	if (how == 1) longjmp(behind, 1);
	return how;
}

static void *values(void *unused) {
	static const char *const names[] = {"get", "set", "a name that is longer than its part", NULL};
	for (long number = -3; number < 97; number++) value(number, names[(number + 3) % 4], (unsigned)(number & 7));
	value(500, (const char *)16, 3);
	return unused;
}

int main(void) {
	char line[16];
	puts("ready");
	fflush(stdout);
	if (fgets(line, sizeof line, stdin) == NULL) return 1;
	pthread_t threads[4];
	for (int thread = 0; thread < 4; thread++) pthread_create(&threads[thread], NULL, values, NULL);
	for (int thread = 0; thread < 4; thread++) pthread_join(threads[thread], NULL);
	for (int turn = 0; turn < 10; turn++) deep(turn);
	for (volatile int turn = 0; turn < 6; turn++) {
		if (setjmp(behind) == 0) escapes(turn % 2 == 0 ? 1 : 2);
	}
	escapes(5);
	puts("done");
	fflush(stdout);
	return fgets(line, sizeof line, stdin) == NULL;
}
