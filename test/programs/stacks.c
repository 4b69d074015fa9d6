// Calls work() on known ways. `stacks CALLS`: by one() CALLS times, by two() directly twice as often, by two() and one() half as often, by
// a thread CALLS times, and once below a recursion of five and one of two hundred.
// `stacks children COUNT`: COUNT processes, one after the other, call it three times each by two(), and end.
// `stacks exec`: calls it five times by one(), and again after it has become another program.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noipa)) long work(const char *name, long value) { return value + (name == NULL); }

__attribute__((noipa)) long one(long calls)
{
	long sum = 0;
	for (long call = 0; call < calls; call++) sum += work("one", call);
	return sum + 1;
}

__attribute__((noipa)) long two(long calls, long further)
{
	long sum = 0;
	for (long call = 0; call < calls; call++) sum += work("two", call);
	if (further > 0) sum += one(further);
	return sum + 1;
}

__attribute__((noipa)) long deep(long left) { return left == 0 ? work(NULL, left) + 1 : deep(left - 1) + 1; }

__attribute__((noipa)) void *in_thread(void *calls) { return (void *)(one((long)calls) + 1); }

static void all(long calls)
{
	pthread_t thread;
	one(calls);
	two(2 * calls, calls / 2);
	deep(5);
	deep(200);
	pthread_create(&thread, NULL, in_thread, (void *)calls);
	pthread_join(thread, NULL);
}

static void children(long count)
{
	for (; count > 0; count--) {
		if (fork() == 0) {
			two(3, 0);
			_exit(0);
		}
		wait(NULL);
	}
}

int main(int count, char **words)
{
	if (count > 2 && strcmp(words[1], "children") == 0) children(atol(words[2]));
	else if (count > 1 && strcmp(words[1], "exec") == 0) {
		one(5);
		if (count == 2) execl(words[0], words[0], "exec", "again", (char *)NULL);
	} else all(count > 1 ? atol(words[1]) : 10);
	return 0;
}
