// Loads libraries and starts programs when its input says so; answers each line when that is done.
//   open PATH                    dlopen; answers "open TIME", nanoseconds of CLOCK_MONOTONIC
//   call FUNCTION MS VALUE       calls a function of the last library every millisecond for so long
//   run COUNT PROGRAM ARGUMENT   that many processes, one after the other
// As `late LIBRARY FUNCTION MS VALUE` it does the first two and ends.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *library;

static void load(const char *path)
{
	struct timespec at;
	library = dlopen(path, RTLD_NOW);
	clock_gettime(CLOCK_MONOTONIC, &at);
	if (library) printf("open %lld\n", at.tv_sec * 1000000000LL + at.tv_nsec);
	else printf("%s\n", dlerror());
}

static void call(const char *name, int ms, int value)
{
	int (*function)(int) = library ? (int (*)(int))dlsym(library, name) : NULL;
	for (int round = 0; function && round < ms; round++) {
		function(value);
		usleep(1000);
	}
	printf(function ? "called\n" : "no function\n");
}

static void run(int count, char *program, char *argument)
{
	char *const words[] = { program, argument[0] ? argument : NULL, NULL };
	for (int round = 0; round < count; round++) {
		pid_t child = vfork();
		if (child == 0) {
			execv(program, words);
			_exit(127);
		}
		waitpid(child, NULL, 0);
	}
	printf("ran\n");
}

int main(int count, char **words)
{
	char line[8192], first[4096], second[4096];
	int ms, value;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count == 5) {
		load(words[1]);
		call(words[2], atoi(words[3]), atoi(words[4]));
		return 0;
	}
	printf("ready %d\n", getpid());
	while (fgets(line, sizeof line, stdin)) {
		first[0] = second[0] = 0;
		if (sscanf(line, "open %4095s", first) == 1) load(first);
		else if (sscanf(line, "call %4095s %d %d", first, &ms, &value) == 3) call(first, ms, value);
		else if (sscanf(line, "run %d %4095s %4095s", &value, first, second) >= 2) run(value, first, second);
		else printf("what?\n");
	}
	return 0;
}
