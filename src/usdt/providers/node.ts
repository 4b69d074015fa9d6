/** Owns the markers of Node.js up to 18, built with --with-dtrace. Source: src/node_provider.d. */
export const node = String.raw`
net__(server__connection|stream__end) connection:hex address:text port fd
net__socket__(read|write) connection:hex bytes address:text port fd
http__(server|client)__request request:hex connection:hex address:text port method:text url:text fd
http__(server|client)__response connection:hex address:text port fd
gc__(start|done) type flags:hex isolate:hex
gc__(start|done) type flags:hex
`;
