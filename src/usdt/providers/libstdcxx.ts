/** Owns the markers of GCC's C++ library and unwinder. Source: libstdc++-v3/libsupc++/eh_throw.cc and eh_catch.cc, libgcc/unwind-dw2.c. */
export const libstdcxx = String.raw`
(throw|rethrow|catch) object:hex type:hex
`;

export const libgcc = String.raw`
unwind frame:hex handler:hex
`;
