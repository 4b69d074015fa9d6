/**
 * Owns the markers of HotSpot, the Java machine of OpenJDK. Source: hotspot.d and hs_private.d in src/hotspot/os/posix/dtrace,
 * JDK 8 to 25. Its texts are modified UTF-8 and end in no zero.
 */
export const hotspot = String.raw`
class__(loaded|unloaded) name:text+ loader:hex shared:bool
class__initialization__required name:text+ loader:hex thread_type
class__initialization__\w+ name:text+ loader:hex thread_type waits:bool
vm__(init__begin|init__end|shutdown)
vmops__(request|begin|end) name:text+ mode
gc__begin full:bool
gc__end
mem__pool__gc__(begin|end) manager:text+ pool:text+ initial used committed maximum
thread__(start|stop) name:text+ java_id native_id daemon:bool
thread__sleep__begin milliseconds
thread__sleep__end interrupted:bool
thread__yield
thread__park__begin parker:hex absolute:bool time
thread__(park__end|unpark) parker:hex
method__compile__begin compiler:text+ class:text+ method:text+ signature:text+
method__compile__end compiler:text+ class:text+ method:text+ signature:text+ success:bool
compiled__method__load class:text+ method:text+ signature:text+ code:hex size
compiled__method__unload class:text+ method:text+ signature:text+
monitor__wait java_id monitor:hex class:text+ milliseconds
monitor__(contended__enter|contended__entered|contended__exit|waited|notify|notifyAll) java_id monitor:hex class:text+
object__alloc java_id class:text+ size
method__(entry|return) java_id class:text+ method:text+ signature:text+
`;

/** What OpenJDK keeps for itself; cms is gone since JDK 14. */
export const hsPrivate = String.raw`
safepoint__(begin|end)
cms__(initmark|remark)__(begin|end)
`;
