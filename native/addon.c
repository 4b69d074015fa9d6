/*
 * A thin door from JavaScript to the system calls of uscope: bpf, perf_event_open, ioctl, mmap, munmap, close, and
 * readiness of a descriptor. It knows no struct layout and holds no policy: errno comes back as a negative number.
 *
 * An attr never carries an address that JavaScript has seen: a call takes the attr together with a list of
 * { offset, buffer }, writes the buffers' addresses into a private copy, calls, and copies back everything but those.
 * There is no static state: every environment (worker threads too) may load it, and what it leaves open is closed at its end.
 */
#define _GNU_SOURCE
#define NAPI_VERSION 8
#include <errno.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The part of libuv's stable interface that is used; its headers do not come with node_api.h. */
enum { POLL_HANDLE = 8, READABLE = 1 };
size_t uv_handle_size(int type);
void uv_handle_set_data(void *handle, void *data);
void *uv_handle_get_data(const void *handle);
int uv_poll_init(struct uv_loop_s *loop, void *handle, int fd);
int uv_poll_start(void *handle, int events, void (*ready)(void *handle, int status, int events));
void uv_close(void *handle, void (*closed)(void *handle));
void uv_unref(void *handle);

enum { MOST_ATTR_BYTES = 512, MOST_PATCHES = 16 };

/* Tells our own ArrayBuffers and watches from everything else that a caller may hand in. */
static const napi_type_tag mapping_tag = {0x7573636f70652d6dULL, 0x617070696e673031ULL};
static const napi_type_tag watch_tag = {0x7573636f70652d77ULL, 0x617463682d303031ULL};

static int64_t or_errno(int64_t result) { return result < 0 ? -errno : result; }

static napi_value number(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_int64(env, value, &result);
  return result;
}

static napi_value misuse(napi_env env, const char *usage) { return napi_throw_type_error(env, NULL, usage), NULL; }

/* Takes exactly the wanted arguments, and `count` integers among them starting at `first`. */
static bool take(napi_env env, napi_callback_info call, size_t wanted, napi_value *values, size_t first, size_t count,
                 int64_t *integers) {
  size_t given = wanted;
  if (napi_get_cb_info(env, call, &given, values, NULL, NULL) != napi_ok || given != wanted) return false;
  for (size_t index = 0; index < count; index++)
    if (napi_get_value_int64(env, values[first + index], &integers[index]) != napi_ok) return false;
  return true;
}

/* Bytes of any typed array. The handle of `value` keeps them alive until the native call returns. */
static bool bytes_of(napi_env env, napi_value value, uint8_t **bytes, size_t *length) {
  static const uint8_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, value, &type, length, (void **)bytes, NULL, NULL) != napi_ok ||
      (size_t)type >= sizeof widths)
    return false;
  *length *= widths[type];
  return true;
}

typedef struct {
  uint8_t copy[MOST_ATTR_BYTES] __attribute__((aligned(8)));
  uint8_t *original;
  size_t length;
  uint32_t offsets[MOST_PATCHES], patches;
} attr_t;

static bool open_attr(napi_env env, napi_value value, napi_value list, attr_t *attr) {
  if (!bytes_of(env, value, &attr->original, &attr->length) || attr->length > MOST_ATTR_BYTES) return false;
  if (napi_get_array_length(env, list, &attr->patches) != napi_ok || attr->patches > MOST_PATCHES) return false;
  if (attr->length > 0) memcpy(attr->copy, attr->original, attr->length);
  for (uint32_t index = 0; index < attr->patches; index++) {
    napi_value patch, offset, buffer;
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (napi_get_element(env, list, index, &patch) != napi_ok ||
        napi_get_named_property(env, patch, "offset", &offset) != napi_ok ||
        napi_get_named_property(env, patch, "buffer", &buffer) != napi_ok ||
        napi_get_value_uint32(env, offset, &attr->offsets[index]) != napi_ok ||
        !bytes_of(env, buffer, &bytes, &length) || (uint64_t)attr->offsets[index] + 8 > attr->length)
      return false;
    uint64_t address = (uintptr_t)bytes;
    memcpy(attr->copy + attr->offsets[index], &address, 8);
  }
  return true;
}

static void close_at_end(void *fd) { close((int)(int64_t)fd); }
static int64_t opened(napi_env env, int64_t fd) {
  if (fd > 0) napi_remove_env_cleanup_hook(env, close_at_end, (void *)fd); /* somebody else may have closed its namesake */
  if (fd > 0) napi_add_env_cleanup_hook(env, close_at_end, (void *)fd);
  return fd;
}

/* Brings back what the kernel wrote into the attr (counts, lengths) and no address; returns the call's answer. */
static napi_value close_attr(napi_env env, attr_t *attr, long result) {
  int64_t answer = opened(env, or_errno(result));
  for (uint32_t index = 0; index < attr->patches; index++) memset(attr->copy + attr->offsets[index], 0, 8);
  if (attr->length > 0) memcpy(attr->original, attr->copy, attr->length);
  return number(env, answer);
}

/* bpf(command, attr, patches) -> result or -errno; what is above 0 is a descriptor, whatever the command */
static napi_value call_bpf(napi_env env, napi_callback_info call) {
  napi_value values[3];
  int64_t command;
  attr_t attr;
  if (!take(env, call, 3, values, 0, 1, &command) || !open_attr(env, values[1], values[2], &attr))
    return misuse(env, "bpf(command, attr, patches)");
  return close_attr(env, &attr, syscall(SYS_bpf, (int)command, attr.copy, (unsigned)attr.length));
}

/* perfEventOpen(attr, patches, pid, cpu, group, flags) -> descriptor or -errno */
static napi_value call_perf_event_open(napi_env env, napi_callback_info call) {
  napi_value values[6];
  int64_t rest[4];
  attr_t attr;
  if (!take(env, call, 6, values, 2, 4, rest) || !open_attr(env, values[0], values[1], &attr))
    return misuse(env, "perfEventOpen(attr, patches, pid, cpu, group, flags)");
  long fd = syscall(SYS_perf_event_open, attr.copy, (pid_t)rest[0], (int)rest[1], (int)rest[2], rest[3]);
  return close_attr(env, &attr, fd);
}

/* ioctl(fd, request, argument) -> result or -errno */
static napi_value call_ioctl(napi_env env, napi_callback_info call) {
  napi_value values[3];
  int64_t numbers[3];
  if (!take(env, call, 3, values, 0, 3, numbers)) return misuse(env, "ioctl(fd, request, argument)");
  return number(env, or_errno(ioctl((int)numbers[0], (unsigned long)numbers[1], (unsigned long)numbers[2])));
}

/* close(fd) -> 0 or -errno */
static napi_value call_close(napi_env env, napi_callback_info call) {
  napi_value value;
  int64_t fd;
  if (!take(env, call, 1, &value, 0, 1, &fd)) return misuse(env, "close(fd)");
  napi_remove_env_cleanup_hook(env, close_at_end, (void *)fd);
  return number(env, or_errno(close((int)fd)));
}

typedef struct { void *address; /* NULL once unmapped */ size_t length; } mapping_t;

/* Runs once per mapping, after its ArrayBuffer was detached, collected, or its environment ended. */
static void mapping_finalized(napi_env env, void *address, void *hint) {
  mapping_t *mapping = ((void)env, (void)address, hint);
  if (mapping->address != NULL) munmap(mapping->address, mapping->length);
  free(mapping);
}

/* mmap(length, protection, flags, fd, offset) -> ArrayBuffer or -errno */
static napi_value call_mmap(napi_env env, napi_callback_info call) {
  napi_value values[5], buffer;
  int64_t numbers[5];
  if (!take(env, call, 5, values, 0, 5, numbers) || numbers[0] <= 0)
    return misuse(env, "mmap(length, protection, flags, fd, offset)");
  mapping_t *mapping = malloc(sizeof *mapping);
  if (mapping == NULL) return number(env, -ENOMEM);
  mapping->length = (size_t)numbers[0];
  mapping->address = mmap(NULL, mapping->length, (int)numbers[1], (int)numbers[2], (int)numbers[3], numbers[4]);
  int64_t answer = mapping->address == MAP_FAILED ? -errno : 0;
  if (answer == 0 && napi_create_external_arraybuffer(env, mapping->address, mapping->length, mapping_finalized,
                                                      mapping, &buffer) != napi_ok)
    answer = (munmap(mapping->address, mapping->length), -ENOTSUP);
  if (answer != 0) return free(mapping), number(env, answer);
  /* From here on the finalizer owns `mapping`. */
  bool tagged = napi_type_tag_object(env, buffer, &mapping_tag) == napi_ok;
  return tagged && napi_wrap(env, buffer, mapping, NULL, NULL, NULL) == napi_ok ? buffer : number(env, -ENOTSUP);
}

/* munmap(buffer) -> 0 or -errno; the ArrayBuffer is detached first, so that no view can reach the freed memory. */
static napi_value call_munmap(napi_env env, napi_callback_info call) {
  napi_value buffer;
  mapping_t *mapping = NULL;
  bool ours = false;
  if (!take(env, call, 1, &buffer, 0, 0, NULL) ||
      napi_check_object_type_tag(env, buffer, &mapping_tag, &ours) != napi_ok || !ours)
    return misuse(env, "munmap(buffer of mmap)");
  if (napi_remove_wrap(env, buffer, (void **)&mapping) != napi_ok) return number(env, -EINVAL); /* a second time */
  mapping_t taken = *mapping;
  mapping->address = NULL; /* the finalizer has nothing left to unmap; it frees `mapping`, at the latest now */
  if (napi_detach_arraybuffer(env, buffer) != napi_ok) return number(env, -EBUSY);
  return number(env, or_errno(munmap(taken.address, taken.length)));
}

typedef struct {
  napi_env env;
  napi_ref callback;
  napi_async_cleanup_hook_handle hook;
  void *poll;
  int epoll, owners; /* owners: the poll handle and the JavaScript value, both on the environment's own thread */
  bool stopped;
} watch_t;

static void watch_closed(void *handle) {
  watch_t *watch = uv_handle_get_data(handle);
  close(watch->epoll);
  free(handle);
  if (watch->hook != NULL) napi_remove_async_cleanup_hook(watch->hook);
  if (--watch->owners == 0) free(watch);
}

static void stop_watch(watch_t *watch) {
  if (watch->stopped) return;
  watch->stopped = true;
  napi_delete_reference(watch->env, watch->callback);
  uv_close(watch->poll, watch_closed);
}

static void environment_ends(napi_async_cleanup_hook_handle hook, void *watch) { (void)hook, stop_watch(watch); }

static void watch_finalized(napi_env env, void *finalized, void *hint) {
  watch_t *watch = ((void)env, (void)hint, finalized);
  if (--watch->owners == 0) free(watch);
}

static void watch_ready(void *poll, int status, int events) {
  watch_t *watch = uv_handle_get_data(poll);
  struct epoll_event event;
  napi_handle_scope scope;
  napi_value callback, receiver, error = ((void)status, (void)events, NULL);
  epoll_wait(watch->epoll, &event, 1, 0); /* takes the edge; perf events forget theirs when libuv looks, so no check */
  if (watch->stopped || napi_open_handle_scope(watch->env, &scope) != napi_ok) return;
  napi_env env = watch->env;
  if (napi_get_reference_value(env, watch->callback, &callback) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, NULL, receiver, callback, 0, NULL, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
  napi_close_handle_scope(env, scope);
}

/*
 * watch(fd, keepAlive, callback) -> watch or -errno. One callback per wake-up of the descriptor, not one per turn of
 * the loop while it stays readable: the descriptor sits edge-triggered in an epoll of its own, and that is polled.
 */
static napi_value call_watch(napi_env env, napi_callback_info call) {
  napi_value values[3], result;
  int64_t fd, answer;
  bool keep_alive;
  struct uv_loop_s *loop;
  napi_valuetype type;
  struct epoll_event interest = {.events = EPOLLIN | EPOLLET};
  if (!take(env, call, 3, values, 0, 1, &fd) || napi_get_value_bool(env, values[1], &keep_alive) != napi_ok ||
      napi_typeof(env, values[2], &type) != napi_ok || type != napi_function)
    return misuse(env, "watch(fd, keepAlive, callback)");
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return number(env, -ENOTSUP);
  watch_t *watch = calloc(1, sizeof *watch);
  void *poll = calloc(1, uv_handle_size(POLL_HANDLE));
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  answer = watch == NULL || poll == NULL ? -ENOMEM : epoll < 0 ? -errno : 0;
  if (answer == 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, (int)fd, &interest) < 0) answer = -errno;
  if (answer == 0) answer = uv_poll_init(loop, poll, epoll); /* libuv's errors are negative errnos too */
  if (answer != 0) {
    if (epoll >= 0) close(epoll);
    return free(poll), free(watch), number(env, answer);
  }
  *watch = (watch_t){.env = env, .poll = poll, .epoll = epoll, .owners = 1};
  uv_handle_set_data(poll, watch);
  if (!keep_alive) uv_unref(poll);
  napi_create_reference(env, values[2], 1, &watch->callback);
  napi_add_async_cleanup_hook(env, environment_ends, watch, &watch->hook);
  answer = uv_poll_start(poll, READABLE, watch_ready);
  if (answer == 0 && napi_create_object(env, &result) == napi_ok &&
      napi_wrap(env, result, watch, watch_finalized, NULL, NULL) == napi_ok) {
    watch->owners++;
    if (napi_type_tag_object(env, result, &watch_tag) == napi_ok) return result;
  }
  stop_watch(watch);
  return number(env, answer != 0 ? answer : -ENOTSUP);
}

/* unwatch(watch): no callback comes after this; a second time does nothing. */
static napi_value call_unwatch(napi_env env, napi_callback_info call) {
  napi_value value;
  void *watch = NULL;
  bool ours = false;
  if (!take(env, call, 1, &value, 0, 0, NULL) || napi_check_object_type_tag(env, value, &watch_tag, &ours) != napi_ok ||
      !ours || napi_unwrap(env, value, &watch) != napi_ok)
    return misuse(env, "unwatch(watch)");
  return stop_watch(watch), NULL;
}

NAPI_MODULE_INIT() {
#define DOOR(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}
  const napi_property_descriptor doors[] = {
      DOOR("bpf", call_bpf), DOOR("perfEventOpen", call_perf_event_open),
      DOOR("ioctl", call_ioctl), DOOR("close", call_close),
      DOOR("mmap", call_mmap), DOOR("munmap", call_munmap),
      DOOR("watch", call_watch), DOOR("unwatch", call_unwatch),
  };
  napi_define_properties(env, exports, sizeof doors / sizeof doors[0], doors);
  return exports;
}
