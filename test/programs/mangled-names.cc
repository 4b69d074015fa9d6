// Names that are hard to demangle: every construct of the Itanium C++ ABI that g++ emits from source text.
// Never run; its symbols alone are read.
#include <array>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <typeinfo>
#include <variant>
#include <vector>

#define KEEP __attribute__((noinline, used))

// Declarators: pointers, references, arrays, functions and members of each other.
struct Base {
  virtual ~Base();
  virtual int turn(int) const;
  int field;
};
struct Left : virtual Base {
  int turn(int) const override;
};
struct Right : virtual Base {
  int turn(int) const override;
};
struct Both : Left, Right {
  int turn(int) const override;
};
Base::~Base() {}
int Base::turn(int x) const { return x; }
int Left::turn(int x) const { return x + 1; }
int Right::turn(int x) const { return x + 2; }
int Both::turn(int x) const { return x + 3; }

KEEP void take(int (*)(char)) {}
KEEP void take(void (*(*)(int))(char)) {}
KEEP void take(int (&)[3], int (*)[4], int (*const (&)[2][3])(long)) {}
KEEP void take(int Base::*, int (Base::*)(int) const, int (Base::*const *)(int) const) {}
KEEP void take(int (Base::*)(...) const volatile &, void (Base::*)() &&) {}
KEEP void take(const volatile char *const *volatile, int *__restrict) {}
KEEP void take(void (*)() noexcept, void (*const &)(int, ...) noexcept) {}
KEEP void take(std::nullptr_t, __int128, unsigned __int128, long double, __float128, char8_t, char16_t, char32_t, wchar_t) {}
KEEP void take(_Complex double, float __attribute__((vector_size(16)))) {}
KEEP void take(signed char, unsigned char, short, unsigned short, unsigned long long, bool) {}
KEEP int (*give(int))(char) { return nullptr; }
KEEP int (*(*give(char))(int))[3] { return nullptr; }
template <class T> KEEP int (*giveT(T))(char) { return nullptr; }
template int (*giveT(int))(char);
template <class T> KEEP T (&giveArray(T))[3] { static T a[3]; return a; }
template int (&giveArray(int))[3];
template <class T> KEEP auto giveMember(T) -> int (Base::*)(T) const { return nullptr; }
template int (Base::*giveMember(int))(int) const;
extern "C" typedef void (*c_function)(int);
KEEP void takeC(c_function) {}

// Template arguments: types, values, packs, templates, addresses.
enum Colour { red, green };
enum class Size : unsigned char { small = 1, large = 200 };
int global;
KEEP void free_function(int) {}
template <auto... V> struct Values {};
template <class... T> struct Types {};
template <template <class...> class C> struct Wrap {};
template <int N, unsigned U, long L, unsigned long UL, long long LL, bool B, char C, short S> struct Numbers {};
KEEP void values(Values<1, 2u, 3l, 4ul, -5, true, 'c', red, Size::large, nullptr>) {}
KEEP void values(Values<&global, &free_function, &Base::field, &Base::turn>) {}
KEEP void values(Values<>, Types<>, Types<Types<>, Types<int, Types<char>>>, Wrap<std::vector>, Wrap<Types>) {}
KEEP void values(Numbers<-1, 2, -3, 4, -5, false, 'x', -7>) {}
KEEP void values(Types<int(), void(int, ...), int[3], int[], const int[2][3], int &, int &&, void (Base::*)() const>) {}
struct Literal { int a; const char *b; constexpr bool operator==(const Literal &) const = default; };
template <Literal L> KEEP void literal() {}
template void literal<Literal{1, nullptr}>();
template void literal<Literal{}>();
template <double D> KEEP void floating() {}
template void floating<1.5>();
template void floating<-2.25>();
template <class... T> KEEP void pack(T...) {}
template void pack();
template void pack(int, char, const char *);
template void pack(Types<int, char>, void (*)(int));
template <class... T> KEEP void packOf(const T &..., Types<T *...> *, void (*... f)(T, int)) {}
template void packOf<int, char>(const int &, const char &, Types<int *, char *> *, void (*)(int, int), void (*)(char, int));
template <class... T> KEEP void forwarded(T &&...) {}
template void forwarded(int &, const char &&, std::string &);
template <class... T, class... U> KEEP void twoPacks(Types<T...>, Types<U...>, std::pair<T, U>...) {}
template void twoPacks(Types<int, char>, Types<long, bool>, std::pair<int, long>, std::pair<char, bool>);
template <class T, int... N> KEEP void numbers(std::array<T, N>...) {}
template void numbers<int, 1, 2>(std::array<int, 1>, std::array<int, 2>);
template <template <class...> class C, class... T> KEEP void templated(C<T...>, C<C<T>...>) {}
template void templated(Types<int, char>, Types<Types<int>, Types<char>>);
template <class T> KEEP void collapse(T &&, T &, const T &, T *) {}
template void collapse<int[3]>(int (&&)[3], int (&)[3], const int (&)[3], int (*)[3]);
template void collapse<void(int)>(void (&&)(int), void (&)(int), void (&)(int), void (*)(int));
template <class T> KEEP void collapseReferences(T &&) {}
template void collapseReferences<int &>(int &);
template void collapseReferences<int &&>(int &&);
template <class R, class... A> KEEP void signatures(R (*)(A...), R (Base::*)(A...) const, std::function<R(A...)>) {}
template void signatures(int (*)(int), int (Base::*)(int) const, std::function<int(int)>);

// Expressions in signatures.
template <class T> KEEP auto add(T a, T b) -> decltype(a + b) { return a + b; }
template auto add(int, int) -> int;
template <class T> KEEP auto call(T f) -> decltype(f(1, 'c', nullptr)) { return f(1, 'c', nullptr); }
int callee(int, char, std::nullptr_t) { return 0; }
template auto call(int (*)(int, char, std::nullptr_t)) -> int;
template <class T> KEEP auto member(T &t) -> decltype((t.field), (&t)->field, t.turn(1)) { return 0; }
template auto member(Base &) -> int;
template <class T> KEEP auto unary(T t) -> decltype(-t, +t, !t, ~t, *&t, ++t, t++, --t, t--, sizeof(t), alignof(T), true) { return true; }
template auto unary(int) -> bool;
template <class T> KEEP auto binary(T t) -> decltype(t - t, t * t, t / t, t % t, t << t, t >> t, t & t, t | t, t ^ t, t && t, t || t, t < t, t > t, t <= t, t >= t, t == t, t != t, t = t, t += t, t -= t, t *= t, t <<= t, t >>= t, t <=> t, 0) { return 0; }
template auto binary(int) -> int;
template <class T> KEEP auto ternary(T t) -> decltype(t ? t : 1) { return 1; }
template auto ternary(int) -> int;
template <class T> KEEP auto casts(T t) -> decltype((char)t, char(t), static_cast<long>(t), (T)1, T{}, T{t}, T(), int()) { return 0; }
template auto casts(int) -> int;
template <class T> KEEP auto pointerCasts(T *t) -> decltype(reinterpret_cast<char *>(t), const_cast<const T *>(t), dynamic_cast<Left *>(t), 0) { return 0; }
template auto pointerCasts(Both *) -> int;
template <class T> KEEP auto allocation(T t) -> decltype(new T, new T(t), new T[3], ::new T, delete &t, delete[] &t, ::delete &t) {}
template auto allocation(int) -> void;
template <class T> KEEP auto throwing(T t) -> decltype(t ? throw t : throw, 0) { return 0; }
template <class T> KEEP auto subscript(T *t) -> decltype(t[0], t[sizeof(T)]) { return t[0]; }
template auto subscript(int *) -> int &;
template <class... T> KEEP auto folded(T... t) -> decltype((t + ...), (... - t), (t * ... * 1), (0 | ... | t), sizeof...(T), sizeof...(t)) { return 0; }
template auto folded(int, int) -> unsigned long;
template <class... T> KEEP auto expanded(T... t) -> decltype(callee(t...), 0) { return 0; }
template auto expanded(int, char, std::nullptr_t) -> int;
template <class T> KEEP auto scoped() -> decltype(T::value, sizeof(typename T::type), T::template make<int>(), T::type::other, &T::value, 0) { return 0; }
struct Traits {
  struct type { static int other; };
  static int value;
  template <class U> static U make();
};
template auto scoped<Traits>() -> int;
template <class T> KEEP typename T::type dependent(typename T::type *, decltype(T::value)) { return {}; }
template Traits::type dependent<Traits>(Traits::type *, int);
template <int N> struct Sized {};
template <int A, int B> KEEP void arithmetic(Sized<A + B>, Sized<(A > B)>, Sized<A * 2 - B>, Sized<-A>, Sized<sizeof(int[A])>) {}
template void arithmetic<2, 1>(Sized<3>, Sized<1>, Sized<3>, Sized<-2>, Sized<8>);
template <int N> KEEP void arrays(int (&)[N], int (*)[N + 1], char (&)[sizeof(int) * N]) {}
template void arrays<3>(int (&)[3], int (*)[4], char (&)[12]);
template <class T, std::enable_if_t<(sizeof(T) > 2), int> = 0> KEEP void enabled(T) {}
template void enabled(int);
template <class T> KEEP auto lists(T t) -> decltype(Types<T>{}, std::initializer_list<T>{t, t}, T{1}, std::declval<T &&>()) { return 0; }
template auto lists(int) -> int &&;
template <class T> KEEP auto noexceptOf(T t) -> void (*)(T) noexcept(sizeof(T) == 4) { return nullptr; }
template auto noexceptOf(int) noexcept -> void (*)(int) noexcept;
template <class T> KEEP decltype(auto) deduced(T &&t) { return t; }
template decltype(auto) deduced(int &);
template <class T> KEEP auto deducedAuto(T t) { return t; }
template auto deducedAuto(int);

// Operators, conversions, constructors.
struct Number {
  Number();
  Number(const Number &);
  Number(Number &&);
  template <class T> explicit Number(T, int);
  ~Number();
  Number &operator=(const Number &);
  operator int() const;
  operator const char *() const;
  explicit operator bool() &&;
  template <class T> operator T() const;
  template <class T> operator T *();
  template <class T> operator std::vector<T>() &;
  int operator()(int, int) const;
  int operator[](int);
  Number *operator->();
  Number &operator++();
  Number operator++(int);
  int operator,(int);
  int operator->*(int);
  void *operator new(unsigned long);
  void operator delete(void *);
  void *operator new[](unsigned long);
  void operator delete[](void *);
  bool operator<=>(int) const;
  template <class T> bool operator<(T) const;
  template <class T> int operator<<(T);
  template <class T> int operator>(T);
  bool operator&&(int);
};
Number::Number() {}
Number::Number(const Number &) {}
Number::Number(Number &&) {}
template <class T> Number::Number(T, int) {}
template Number::Number(char, int);
Number::~Number() {}
Number &Number::operator=(const Number &) { return *this; }
Number::operator int() const { return 0; }
Number::operator const char *() const { return nullptr; }
Number::operator bool() && { return true; }
template <class T> Number::operator T() const { return T(); }
template Number::operator long() const;
template Number::operator Types<int, char>() const;
template <class T> Number::operator T *() { return nullptr; }
template Number::operator char *();
template <class T> Number::operator std::vector<T>() & { return {}; }
template Number::operator std::vector<int>() &;
int Number::operator()(int, int) const { return 0; }
int Number::operator[](int) { return 0; }
Number *Number::operator->() { return this; }
Number &Number::operator++() { return *this; }
Number Number::operator++(int) { return *this; }
int Number::operator,(int) { return 0; }
int Number::operator->*(int) { return 0; }
void *Number::operator new(unsigned long) { return nullptr; }
void Number::operator delete(void *) {}
void *Number::operator new[](unsigned long) { return nullptr; }
void Number::operator delete[](void *) {}
bool Number::operator<=>(int) const { return true; }
template <class T> bool Number::operator<(T) const { return true; }
template bool Number::operator<(int) const;
template <class T> int Number::operator<<(T) { return 0; }
template int Number::operator<<(int);
template <class T> int Number::operator>(T) { return 0; }
template int Number::operator>(int);
bool Number::operator&&(int) { return true; }
KEEP long double operator""_metres(long double x) { return x; }
KEEP int operator""_text(const char *, unsigned long) { return 0; }
template <class T> struct Box {
  KEEP Box() {}
  KEEP ~Box() {}
  template <class U> KEEP Box(U) {}
  KEEP operator T() { return T(); }
  template <class U> KEEP operator U() { return U(); }
  struct Inner {
    KEEP Inner() {}
    template <class V> KEEP Inner(V) {}
    template <class V> KEEP V get(T) { return V(); }
  };
  static T shared;
  friend KEEP bool operator==(Box, Box) { return true; }
};
template <class T> T Box<T>::shared;
template struct Box<int>;
template struct Box<Box<std::string>>;
template Box<int>::Box(char);
template Box<int>::operator char();
template Box<int>::Inner::Inner(char);
template char Box<int>::Inner::get<char>(int);
KEEP bool useFriends() { return Box<int>() == Box<int>(); }
struct Inheriting : Box<int> { using Box<int>::Box; };
KEEP void inherit() { Inheriting a('c'); Inheriting b(1.0); }

// Local names, lambdas, unnamed types, ABI tags, anonymous namespaces.
namespace outer { inline namespace v1 { namespace { struct Hidden { KEEP void shown() {} }; KEEP void inside(Hidden h) { h.shown(); } } KEEP void use() { inside({}); } } }
struct __attribute__((abi_tag("tagged"))) Tagged { KEEP Tagged() {} KEEP ~Tagged() {} KEEP void method() {} };
__attribute__((abi_tag("b", "a"))) KEEP int tagged(Tagged) { return 0; }
KEEP Tagged returnsTagged() { return {}; }
KEEP void useTagged() { Tagged t; t.method(); }
template <class F> KEEP void run(F f) { f(); }
template <class F> KEEP void runWith(F f) { f(1, 'c'); }
template <class T> KEEP void locals(T t) {
  static T kept = t;
  static std::string text = "x";
  struct Local { KEEP T method(T x) { static int deep; return deep++, x; } struct { KEEP void nameless() {} } unnamed; };
  Local l; l.method(t); l.unnamed.nameless();
  run([=] { static int inLambda; inLambda++; return t; });
  run([] {}); run([&] { run([&t] { return t; }); });
  runWith([](auto a, auto b) { return a + b; });
  runWith([](auto... all) { return sizeof...(all); });
  runWith([](int a, auto &&b) { return a + b; });
  runWith([]<class U>(U a, char) { return a; });
}
template void locals(int);
template void locals(std::string (*)(const std::string &));
struct { KEEP int nameless() { return 1; } } instance;
enum { unnamedA } unnamedEnum;
template <class T> KEEP void unnamed(T) {}
KEEP int useUnnamed() { unnamed(unnamedEnum); unnamed(instance); return instance.nameless(); }
auto globalLambda = [](int x) { return x; };
auto globalGeneric = [](auto x, const auto &...y) { return x; };
KEEP int useLambdas() { return globalLambda(1) + globalGeneric(1, 'a', 2.0); }
namespace Unnamed { struct Outer { struct { int a; } field; }; }
template <class T, class U> KEEP void twiceUnnamed(T, U) {}
template void twiceUnnamed(decltype(Unnamed::Outer::field), decltype(Unnamed::Outer::field) *);
struct Defaults {
  KEEP int f(std::function<int()> a = [] { return 1; }, int b = [](int x) { return x; }(2)) { return a() + b; }
  int field = [] { return 3; }();
};
KEEP int useDefaults() { Defaults d; return d.f() + d.field; }
template <class T> T variable = T(1);
template int variable<int>;
template <class T> inline auto lambdaVariable = [](T x) { return x; };
KEEP int useVariable() { return lambdaVariable<int>(1); }
thread_local std::string perThread = "t";
KEEP std::string &useThread() { return perThread; }
const std::string &extended = std::string("temporary");
KEEP int localStatics() { static const std::string &a = std::string("x"); { static int b = rand(); return b + int(a.size()); } }
KEEP int sameName(int x) { { struct S { KEEP int f() { return 1; } }; x += S().f(); } { struct S { KEEP int f() { return 2; } }; x += S().f(); } return x; }
template <class T> concept Small = sizeof(T) <= 4;
template <Small T> KEEP void constrained(T) requires(sizeof(T) > 1) {}
template void constrained(int);
KEEP void autoParameter(auto x, Small auto y) {}
template void autoParameter(int, char);
KEEP int variants(std::variant<int, std::string, Tagged> v) { return std::visit([](auto &&x) { return (int)sizeof x; }, v); }
KEEP void library(std::map<std::string, std::vector<std::unique_ptr<Base>>> m, std::tuple<int, char> t, std::wstring w, std::u16string u) {
  m.clear(); std::apply([](auto... x) { return (x + ...); }, t);
  std::shared_ptr<Base> s(new Both, [](Base *b) { delete b; });
}
KEEP void größe(int) {}
namespace naïve { struct Ärger { KEEP void löschen() {} }; KEEP void zeige(Ärger ä, Ärger *) { ä.löschen(); } }
static KEEP int cold(int x) { if (x > 100) throw std::string("cold path"); return x; }
int main(int argc, char **) { return cold(argc) > 1000 ? 1 : 0; }
