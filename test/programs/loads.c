/* loads LIBRARY TIMES ROUNDS: waits for a line or the end of its input, opens the library, calls plugged() of it and its own local()
 * TIMES times each, closes it, and becomes itself again until ROUNDS have passed. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noipa)) long local(long value) { return value + 1; }

int main(int count, char **words) {
  char byte = '\n', rest[24];
  if (count < 4) return 2;
  while (read(0, &byte, 1) == 1 && byte != '\n') continue;
  void *library = dlopen(words[1], RTLD_NOW);
  long (*plugged)(long) = (long (*)(long))dlsym(library, "plugged");
  for (long call = 0; call < atol(words[2]); call++) plugged(local(call));
  dlclose(library);
  puts("round");
  fflush(stdout);
  snprintf(rest, sizeof rest, "%ld", atol(words[3]) - 1);
  if (atol(rest) > 0) execl(words[0], words[0], words[1], words[2], rest, (char *)NULL);
  return 0;
}
