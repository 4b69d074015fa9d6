/** Demangles symbols of every rule, written by hand or made by g++ from mangled-names.cc, and compares with c++filt. */
import { expect, test } from "vitest";
import { demangle, mayBeMangled } from "../../src/demangle/demangle.js";
import { compile } from "../support/programs.js";
import { cxxfilt, differences, mangledSymbols } from "./oracle.js";
import { cxxSymbols, rustSymbols } from "./symbols.js";

/** What g++ makes of mangled-names.cc and c++filt (binutils 2.40) prints in another way, with what is printed here. */
const leftOnPurpose: ReadonlyMap<string, string> = new Map([
  // c++filt cannot read it.
  ["_ZGR8extendedB5cxx11_", "reference temporary #0 for extended[abi:cxx11]"],
  [
    "_ZNR6NumbercvSt6vectorIT_SaIS1_EEIiEEv",
    "Number::operator std::vector<int, std::allocator<int> ><int>() &",
  ],
  // `new int[3]`: c++filt prints the function around it as a part of the type.
  [
    "_Z10allocationIiEDTcmcmcmcmcmcmnw_T_Enw_S0_pifp_Ena_A3_S0_Egsnw_S0_Edladfp_daadfp_gsdladfp_ES0_",
    "decltype (((((((new int),(new int({parm#1}))),(new int [3])),(::new int)),(delete (&{parm#1}))),(delete[] (&{parm#1}))),(::delete (&{parm#1}))) allocation<int>(int)",
  ],
  // `alignof(T)` makes T a substitution candidate, so that the parameter is `T`, not the result type.
  [
    "_Z5unaryIiEDTcmcmcmcmcmcmcmcmcmcmcmngfp_psfp_ntfp_cofp_deadfp_pp_fp_ppfp_mm_fp_mmfp_szfp_atT_Lb1EES0_",
    "decltype ((((((((((((-{parm#1}),(+{parm#1})),(!{parm#1})),(~{parm#1})),(*(&{parm#1}))),(++{parm#1})),({parm#1}++)),(--{parm#1})),({parm#1}--)),(sizeof {parm#1})),(alignof (int))),(true)) unary<int>(int)",
  ],
  // `sizeof...(parameters)`: c++filt prints 0, whatever the number is.
  [
    "_Z6foldedIJiiEEDTcmcmcmcmcmfrplfp_flmifp_fRmlfp_Li1EfLorLi0Efp_sZT_sZfp_EDpT_",
    "decltype ((((((({parm#1}+...)),((...-{parm#1}))),(({parm#1}*...*(1)))),(((0)|...|{parm#1}))),(2)),(sizeof...({parm#1}))) folded<int, int>(int, int)",
  ],
  // A function type takes no const from `const T &`.
  [
    "_Z8collapseIFviEEvOT_RS1_RKS1_PS1_",
    "void collapse<void (int)>(void (&&)(int), void (&)(int), void (&)(int), void (*)(int))",
  ],
  // Unnamed types are no substitution candidates of their own: the second parameter is a pointer to the first.
  [
    "_Z12twiceUnnamedIN7Unnamed5OuterUt_EPS2_EvT_T0_",
    "void twiceUnnamed<Unnamed::Outer::{unnamed type#1}, Unnamed::Outer::{unnamed type#1}*>(Unnamed::Outer::{unnamed type#1}, Unnamed::Outer::{unnamed type#1}*)",
  ],
]);

test("every construct that g++ emits", () => {
  const symbols = mangledSymbols(compile("mangled-names.cc", ["-std=c++20", "-O1", "-w"]));
  expect(symbols.length).toBeGreaterThan(250);
  const different = differences(symbols).filter(({ symbol }) => !leftOnPurpose.has(symbol));
  expect(different).toEqual([]);
});

test.each([...leftOnPurpose])("%s, where c++filt is left", (symbol, text) => {
  expect(demangle(symbol)).toBe(text);
  expect(cxxfilt([symbol])).not.toEqual([text]);
});

test("every rule of the C++ grammar, written by hand", () => {
  expect(differences(cxxSymbols)).toEqual([]);
});

test("every rule of Rust's two grammars, written by hand", () => {
  expect(differences(rustSymbols)).toEqual([]);
});

// Where there is no oracle: c++filt does not read these.
test.each([
  // Spec: Itanium C++ ABI 5.1.
  ["_Z1fIiEvDTtefp_E", "void f<int>(decltype (typeid ({parm#1})))"],
  ["_Z1fIiEvDTtiT_E", "void f<int>(decltype (typeid (int)))"],
  ["_Z1fIiEvDTnxfp_E", "void f<int>(decltype (noexcept ({parm#1})))"],
  ["_Z1fIiEvDTcpfp_Li1EEE", "void f<int>(decltype ({parm#1}(1)))"],
  ["_Z1fIiEvDTfL0p_E", "void f<int>(decltype ({parm#1}))"],
  ["_Z1fIiEvDTdtfp_dnT_E", "void f<int>(decltype ({parm#1}.(~int)))"],
  ["_Z1fDB8_", "f(_BitInt(8))"],
  ["_Z1fDU8_", "f(unsigned _BitInt(8))"],
  ["_Z1fu3fooIiE", "f(foo<int>)"],
  ["_ZN1AUlvE_D1Ev", "A::{lambda()#1}::~{lambda()#1}()"],
  ["_Z1fIJEEvDpT_i", "void f<>(int)"],
  ["_ZZ1fvE1x.0", "f()::x [clone .0]"],
  // Spec: Rust's v0 symbol format, constants.
  ["_RINvC3foo3barKRe616263_E", 'foo::bar::<"abc">'],
  ["_RINvC3foo3barKe616263_E", 'foo::bar::<{*"abc"}>'],
  ["_RINvC3foo3barKAj1_j2_EE", "foo::bar::<{[1, 2]}>"],
  ["_RINvC3foo3barKTj1_EE", "foo::bar::<{(1,)}>"],
  ["_RINvC3foo3barKVUNtC3foo3BarE", "foo::bar::<{foo::Bar}>"],
  ["_RINvC3foo3barKVSNtC3foo3Bar1aj1_EE", "foo::bar::<{foo::Bar { a: 1 }}>"],
  ["_RINvC3foo3barKo123456789abcdef0123_E", "foo::bar::<0x123456789abcdef0123>"],
  ["_RINvC3foo3barKc27_E", "foo::bar::<'\\''>"],
  // A function's cold part is another place than the function; the suffix of private functions says nothing.
  ["_RNvC3foo3bar.cold", "foo::bar [clone .cold]"],
  ["_RNvC3foo3bar.llvm.12AB.cold", "foo::bar [clone .cold]"],
  ["_ZN3foo17h0123456789abcdefE.llvm.123.cold", "foo [clone .cold]"],
  // A lifetime that nothing introduces.
  ["_RINvC3foo3barRL0_lE", undefined],
])("%s, which c++filt prints otherwise", (symbol, text) => {
  expect(demangle(symbol)).toBe(text);
});

test.each([
  ["_Z1fv@plt", "f()@plt"],
  ["_ZNSt9exceptionD2Ev@@GLIBCXX_3.4", "std::exception::~exception()@@GLIBCXX_3.4"],
  ["_Z1fv.cold@plt", "f() [clone .cold]@plt"],
  ["__Z1fv", "f()"],
  ["__RNvC3foo3bar", "foo::bar"],
  ["__ZN3foo17h0123456789abcdefE", "foo"],
])("%s, with what systems put around symbols", (symbol, text) => {
  expect(demangle(symbol)).toBe(text);
});

test("what is not mangled", () => {
  for (const symbol of [
    "",
    "_",
    "__",
    "main",
    "Z1fv",
    "_Exit",
    "_start",
    "__libc_start_main",
    "___Z1fv",
    "_z1fv",
    "f()",
  ]) {
    expect(demangle(symbol)).toBeUndefined();
    expect(mayBeMangled(symbol)).toBe(false);
  }
});
