/**
 * Owns the markers of PostgreSQL, 9 to 17, built with --enable-dtrace. Source: src/backend/utils/probes.d, and "Dynamic Tracing" in
 * its manual, which says what the arguments are.
 */
const place = "tablespace database relation";
const page = `fork block ${place}`;

export const postgresql = String.raw`
transaction__(start|commit|abort) transaction
query__(start|done|parse__start|parse__done|rewrite__start|rewrite__done) query:text
query__(plan|execute)__(start|done)
statement__status command:text
checkpoint__start flags:hex
checkpoint__done written buffers added removed recycled
(clog|subtrans|multixact)__checkpoint__(start|done) normal:bool
twophase__checkpoint__(start|done)
buffer__checkpoint__start flags:hex
buffer__checkpoint__(sync__start|done)
buffer__sync__start buffers dirty
buffer__sync__written buffer
buffer__sync__done buffers written dirty
buffer__read__start ${page} backend extends:bool
buffer__read__start ${page} backend
buffer__read__done ${page} backend extends:bool found:bool
buffer__read__done ${page} backend found:bool
buffer__(flush|write__dirty)__(start|done) ${page}
buffer__extend__start fork ${place} backend blocks
buffer__extend__done fork ${place} backend blocks block
wal__buffer__write__dirty__(start|done)
(wal|xlog)__insert manager flags:hex
(wal|xlog)__switch
smgr__md__(read|write)__start ${page} backend
smgr__md__(read|write)__start ${page}
smgr__md__read__done ${page} backend read requested
smgr__md__read__done ${page} read requested
smgr__md__write__done ${page} backend written requested
smgr__md__write__done ${page} written requested
sort__start kind unique:bool keys memory_kb random:bool parallel
sort__start kind unique:bool keys memory_kb random:bool
sort__done external:bool space
lwlock__release tranche:text
lwlock__release tranche:text lock
lwlock__\w+ tranche:text mode
lwlock__\w+ tranche:text lock mode
lock__wait__(start|done) field1 field2 field3 field4 type mode
deadlock__found
`;
