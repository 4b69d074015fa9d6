/**
 * Owns the markers of the GNU C library, built with --enable-systemtap. Source: "Internal probes" in its manual for those of malloc,
 * libm and setjmp; for the others, which it does not describe, the calls of LIBC_PROBE in elf/ and nptl/.
 */
const jumps = String.raw`
(setjmp|longjmp|longjmp_target) buffer:hex value address:hex
`;

const locks = String.raw`
lll_lock_wait(_private)? futex:hex
lll_lock_wait futex:hex private:bool
lll_futex_wake futex:hex waiters private:bool
`;

const threads = String.raw`
pthread_create thread:hex attributes:hex function:hex argument:hex
pthread_start thread:hex function:hex argument:hex
pthread_join thread:hex
pthread_join_ret thread:hex error result:hex
mutex_(init|destroy|entry|acquired|release|timedlock_acquired) mutex:hex
mutex_timedlock_entry mutex:hex until:hex
mutex_clocklock_entry mutex:hex clock until:hex
cond_init condition:hex attributes:hex
cond_(destroy|signal|broadcast) condition:hex
cond_wait condition:hex mutex:hex
cond_timedwait condition:hex mutex:hex until:hex
(rwlock_destroy|rwlock_unlock|rdlock_entry|rdlock_acquire_read|wrlock_entry|wrlock_acquire_write) lock:hex
`;

const memory = String.raw`
memory_sbrk_(more|less) break:hex size
memory_heap_(new|free|more|less) heap:hex size
memory_(malloc|calloc)_retry size
memory_realloc_retry size memory:hex
memory_memalign_retry size alignment
memory_arena_retry size arena:hex
memory_arena_new arena:hex size
memory_arena_reuse arena:hex previous:hex
memory_arena_reuse_wait mutex:hex arena:hex previous:hex
memory_arena_reuse_free_list arena:hex
memory_mallopt parameter value
memory_mallopt_(mxfast|perturb|arena_test|arena_max) value previous
memory_mallopt_(trim_threshold|top_pad|mmap_threshold|mmap_max) value previous fixed:bool
memory_mallopt_free_dyn_thresholds mmap_threshold trim_threshold
memory_tunable_\w+ value previous
memory_tcache_double_free memory:hex bin
`;

/** Since 2.34 the threads are here. */
export const libc = jumps + locks + threads + memory;

export const libpthread = locks + threads;

export const rtld = String.raw`
(init_start|init_complete|map_start|map_failed|reloc_start|unmap_start|unmap_complete) namespace debug:hex
(map_complete|reloc_complete) namespace debug:hex map:hex
${jumps}${locks}`;

/** Their numbers are floating-point; gone since 2.28. */
export const libm = String.raw`
slow(atan2|atan2_inexact) precision y x result
slow(log|log_inexact|atan|atan_inexact) precision x result
slow(exp|pow)_p\d+ x y fast result
slow(sin|cos)_dx x error result
slow\w+ x result
`;
