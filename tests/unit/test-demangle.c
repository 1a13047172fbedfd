/* SPDX-License-Identifier: MIT
 * Real mangled names of real compilers, and made-up ones that mean harm. */
#include "native/demangle.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "tap.h"
#include "util/attr.h"

struct name {
	const char *mangled, *want;
};

static const struct name plain[] = {
	{ "list_sort_impl", "list_sort_impl" },
	{ "_PyEval_EvalFrameDefault.cold", "_PyEval_EvalFrameDefault" },
	{ "list_sort_impl.constprop.0.isra.0", "list_sort_impl" },
	{ "fold.part.3.cold", "fold" },
	{ "_TAIL_CALL_CALL.llvm.11804417398530512", "_TAIL_CALL_CALL" },
	{ "memcpy@@GLIBC_2.14", "memcpy" },
	{ "a.b", "a.b" }, { "f.coldish", "f.coldish" }, { ".cold", ".cold" }, { "@", "@" },
	{ "", "" }, { "_Z", "_Z" }, { "_R", "_R" }, { "_ZN", "_ZN" }, { "__pyx_", "__pyx_" },
};

static const struct name cxx[] = {
	{ "_ZN2at6native12_GLOBAL__N_110add_kernelERNS_18TensorIteratorBaseERKN3c106ScalarE",
	  "at::native::(anonymous namespace)::add_kernel" },
	{ "_ZNSt6vectorIiSaIiEE9push_backERKi.constprop.0",
	  "std::vector<int, std::allocator<int> >::push_back" },
	{ "_ZL20__pyx_pw_4test_3loopP7_objectS0_", "test.loop" },
};

/* As the C++ library writes them. */
static const struct name decoded[] = {
	{ "f(int) const", "f" }, { "f", "f" }, { "", "" }, { "(", "(" }, { "f(", "f(" }, { ")f(", ")f(" },
	{ "unsigned long const& n::f<int, (E)1>(char (*)(int)) const &", "n::f<int, (E)1>" },
	{ "(anonymous namespace)::f((anonymous namespace)::T)", "(anonymous namespace)::f" },
	{ "void (anonymous namespace)::f<int>()", "(anonymous namespace)::f<int>" },
	{ "a::operator()(int) const", "a::operator()" }, { "a::operator->() const", "a::operator->" },
	{ "std::ostream& std::operator<< <char>(std::ostream&, char)", "std::operator<< <char>" },
	{ "a::operator std::vector<int>() const", "a::operator std::vector<int>" },
	{ "bool a::operator<=><b>(b)", "a::operator<=><b>" },
	{ "f(int) const::{lambda(int)#1}::operator()(int) const", "f(int) const::{lambda(int)#1}::operator()" },
	{ "auto f(int) const::{lambda(auto:1)#1}::operator()<int>(int) const",
	  "f(int) const::{lambda(auto:1)#1}::operator()<int>" },
	{ "m::i<int>(int)::{lambda(m::call&)#3}::_FUN(m::call&)", "m::i<int>(int)::{lambda(m::call&)#3}::_FUN" },
	{ "decltype (a.b()) f<int>(int)", "f<int>" },
	{ "f(int) [clone ._omp_fn.0]", "f [clone ._omp_fn.0]" },
	{ "void (*f<int>(int))(char)", "void (*f<int>(int))(char)" },
	{ "non-virtual thunk to a::f(int)", "non-virtual thunk to a::f" },
	{ "a<(b)>c>::f(int)", "a<(b)>c>::f(int)" },
};

static const struct name rust[] = {
	{ "_ZN106_$LT$core..ops..range..Range$LT$usize$GT$$u20$as$u20$core..slice..index.."
	  "SliceIndex$LT$$u5b$T$u5d$$GT$$GT$17get_unchecked_mut18precondition_check"
	  "17h92eb2cc5661e6cf5E",
	  "<core::ops::range::Range<usize> as core::slice::index::SliceIndex<[T]>>::"
	  "get_unchecked_mut::precondition_check" },
	{ "_ZN1a4main28_$u7b$$u7b$closure$u7d$$u7d$17h38a830441067944cE.llvm.123",
	  "a::main::{{closure}}" },
	{ "_ZN1a12gr$ufc$$udf$17hec197bc4667ee98cE", "a::gr\303\274\303\237" },
	{ "_RNvCs6xxl1lAjzDf_1a4main", "a::main" },
	{ "_RINvCs6xxl1lAjzDf_1a3genINtNtCslNYArtu3iFV_5alloc5boxed3BoxDNtNtCsgEmfK2I1SDS_4core3fmt"
	  "5DebugNtNtB10_6marker4SendEL_EAlj4_EB2_",
	  "a::gen::<alloc::boxed::Box<dyn core::fmt::Debug + core::marker::Send>, [i32; 4]>" },
	{ "_RINvCs6xxl1lAjzDf_1a3genFlElINtNtCsgEmfK2I1SDS_4core6option6OptionPhEEB2_",
	  "a::gen::<fn(i32) -> i32, core::option::Option<*const u8>>" },
	{ "_RINvMNtCslNYArtu3iFV_5alloc5sliceSl7sort_byNCNvCs6xxl1lAjzDf_1a4mains0_0EBJ_",
	  "<[i32]>::sort_by::<a::main::{closure#2}>" },
	{ "_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
	  "utf8_idents::\341\203\241\341\203\220\341\203\255\341\203\233\341\203\224\341\203\232"
	  "\341\203\220\341\203\223_\341\203\222\341\203\224\341\203\233\341\203\240\341\203\230"
	  "\341\203\224\341\203\232\341\203\230_\341\203\241\341\203\220\341\203\223\341\203\230"
	  "\341\203\232\341\203\230" },
	{ "_RNvCs6xxl1lAjzDf_1a4mainX", "_RNvCs6xxl1lAjzDf_1a4mainX" },
	{ "_RNvBBBBBB_1a", "_RNvBBBBBB_1a" },
	{ "_RB_", "_RB_" },
};

static const struct name cython[] = {
	{ "__pyx_pw_4test_1f", "test.f" },
	{ "__pyx_pf_4test_2g", "test.g" },
	{ "__pyx_f_4test_fib", "test.fib" },
	{ "__pyx_pw_7sklearn_4tree_5_tree_4Tree_15apply", "sklearn.tree._tree.Tree.apply" },
	{ "__pyx_f_7sklearn_4tree_5_tree_4Tree__apply_dense", "sklearn.tree._tree.Tree._apply_dense" },
	{ "__pyx_fuse_0__pyx_f_7sklearn_5utils_11sparsefuncs_row_norms",
	  "sklearn.utils.sparsefuncs.row_norms" },
	{ "__pyx_gb_4test_5outer_2generator", "test.outer.generator" },
	{ "__pyx_pw_4test_3Foo_1__init__.isra.0", "test.Foo.__init__" },
	{ "__pyx_pymod_exec_test", "test (module)" },
	{ "__pyx_f_999999999999_x", "__pyx_f_999999999999_x" },
	{ "__pyx_f_99_x", "__pyx_f_99_x" },
	{ "__pyx_pw_", "__pyx_pw_" }, { "__pyx_pymod_exec_", "__pyx_pymod_exec_" },
	{ "__pyx_pw_4test_", "test" },
};

static void check(const struct name *names, size_t n)
{
	char out[DEMANGLE_OUT_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t len = demangle(names[i].mangled, out, sizeof(out));

		is_str(out, names[i].want, names[i].mangled);
		if (len != strlen(out))
			ok(false, "the length is the length");
	}
}

static void check_decoded(void)
{
	char text[DEMANGLE_OUT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(decoded); i++) {
		snprintf(text, sizeof(text), "%s", decoded[i].mangled);
		demangle_cxx_shorten(text);
		is_str(text, decoded[i].want, decoded[i].mangled);
	}
}

/* Each pair holds the pair before twice: 2^60 bytes if it were decoded. */
static void test_doubling(void)
{
	char name[1024] = "_Z1f1a1bIS_S_E", out[DEMANGLE_OUT_MAX];

	for (int i = 1; i < 60; i++) {
		size_t at = strlen(name);
		int n = i - 1 + (i > 1);
		char digit = (char)(n < 10 ? '0' + n : 'A' + n - 10);

		if (n < 36)
			snprintf(name + at, sizeof(name) - at, "S0_IS%c_S%c_E", digit, digit);
		else
			snprintf(name + at, sizeof(name) - at, "S0_IS1%c_S1%c_E",
				 (char)('0' + (n - 36) % 10), (char)('0' + (n - 36) % 10));
	}
	demangle(name, out, sizeof(out));
	is_str(out, name, "a name that would double without end stays mangled");
}

/* Every name cut everywhere and with each byte changed, into a buffer that is too small: for ASan,
 * and the NUL must be where the length says. */
static void test_damage(const struct name *names, size_t n)
{
	char text[DEMANGLE_IN_MAX], out[40];
	int wrong = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i].mangled);

		for (size_t at = 0; at < len; at++) {
			for (const char *with = "E_09aBKN\377"; *with; with++) {
				memcpy(text, names[i].mangled, len + 1);
				text[at] = *with;
				wrong += demangle(text, out, sizeof(out)) != strlen(out);
			}
			text[at] = '\0';
			wrong += demangle(text, out, sizeof(out)) != strlen(out);
		}
	}
	is_int(wrong, 0, "damaged names");
}

int main(void)
{
	static char longest[DEMANGLE_IN_MAX * 2 + 1];
	char out[DEMANGLE_OUT_MAX];

	check(plain, ARRAY_SIZE(plain));
	check(rust, ARRAY_SIZE(rust));
	check(cython, ARRAY_SIZE(cython));
	check_decoded();
	if (dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL))
		check(cxx, ARRAY_SIZE(cxx));
	else
		tap_skip("C++ names", "no libstdc++.so.6 here");
	test_doubling();
	test_damage(plain, ARRAY_SIZE(plain));
	test_damage(rust, ARRAY_SIZE(rust));
	test_damage(cython, ARRAY_SIZE(cython));
	test_damage(cxx, ARRAY_SIZE(cxx));
	memset(longest, 'x', sizeof(longest) - 1);
	memcpy(longest, "_ZN", 3);
	is_int((long long)demangle(longest, out, sizeof(out)), DEMANGLE_OUT_MAX - 1,
	       "an endless name is cut");
	is_int((long long)demangle("abc", out, 1), 0, "no room at all");
	return tap_done();
}
