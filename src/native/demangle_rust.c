/* SPDX-License-Identifier: MIT
 * Rust's two manglings. Legacy: C++'s nested names with a hash as the last one (rustc's
 * rustc_symbol_mangling/src/legacy.rs). v0: RFC 2603, the grammar of which the functions below
 * follow by name; lifetimes and constants are shown as the compiler's own decoder shows them by
 * default, hashes of crates are left out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/demangle.h"
#include "util/attr.h"
#include "util/utf8.h"

/* Text under construction; what does not fit is dropped, and told. */
struct text {
	char *out;
	size_t len, size;
	bool full;
};

static void put(struct text *t, const char *s, size_t len)
{
	if (len >= t->size - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->out + t->len, s, len);
	t->len += len;
	t->out[t->len] = '\0';
}

static void puts_(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

/* --- legacy --- */

enum { HASH_DIGITS = 16 };

static const struct { const char *code, *text; } escapes[] = {
	{ "$SP$", "@" }, { "$BP$", "*" }, { "$RF$", "&" }, { "$LT$", "<" }, { "$GT$", ">" },
	{ "$LP$", "(" }, { "$RP$", ")" }, { "$C$", "," },
};

/* "$u7e$": a character by its code; bytes it takes, 0: none. */
static size_t put_code(struct text *t, const char *s, size_t len)
{
	char *stop, utf8[4];
	unsigned long c;

	if (len < 4 || s[1] != 'u')
		return 0;
	c = strtoul(s + 2, &stop, 16);
	if (*stop != '$' || stop == s + 2 || stop >= s + len || c < 0x20 || c > 0x10ffff)
		return 0;
	put(t, utf8, utf8_put(utf8, (uint32_t)c));
	return (size_t)(stop + 1 - s);
}

static size_t put_escape(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
		size_t n = strlen(escapes[i].code);

		if (n <= len && !strncmp(s, escapes[i].code, n)) {
			puts_(t, escapes[i].text);
			return n;
		}
	}
	return put_code(t, s, len);
}

static void put_legacy(struct text *t, const char *s, size_t len)
{
	if (len >= 2 && s[0] == '_' && s[1] == '$')
		s++, len--;
	while (len > 0) {
		size_t n = *s == '$' ? put_escape(t, s, len) : 0;

		if (n == 0 && len >= 2 && s[0] == '.' && s[1] == '.') {
			puts_(t, "::");
			n = 2;
		} else if (n == 0) {
			put(t, s, 1);
			n = 1;
		}
		s += n;
		len -= n;
	}
}

static bool is_hash(const char *s, size_t len)
{
	return len == 1 + HASH_DIGITS && s[0] == 'h' &&
	       strspn(s + 1, "0123456789abcdef") >= HASH_DIGITS;
}

/* A decimal number without leading zero; moves *s past it. False: none, or a huge one. */
static bool take_decimal(const char **s, size_t *ret)
{
	size_t value = 0;

	if (**s < '0' || **s > '9')
		return false;
	if (**s == '0') {
		(*s)++;
		*ret = 0;
		return true;
	}
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		value = value * 10 + (size_t)(**s - '0');
		if (value > DEMANGLE_IN_MAX)
			return false;
	}
	*ret = value;
	return true;
}

bool demangle_rust_legacy(const char *name, char *out, size_t size)
{
	struct text t = { .out = out, .size = size };
	const char *s = name + 3;
	size_t len, end = strnlen(name, DEMANGLE_IN_MAX + 1);

	if (end < 3 + 2 + 1 + HASH_DIGITS + 1 || strncmp(name, "_ZN", 3) != 0 ||
	    name[end - 1] != 'E' || !is_hash(name + end - 2 - HASH_DIGITS, 1 + HASH_DIGITS))
		return false;
	while (take_decimal(&s, &len)) {
		if (len == 0 || len > (size_t)(name + end - s))
			return false;
		if (s[len] == 'E')
			return is_hash(s, len) && s[len + 1] == '\0' && t.len > 0 && !t.full;
		if (t.len > 0)
			puts_(&t, "::");
		put_legacy(&t, s, len);
		s += len;
	}
	return false;
}

/* --- v0 --- */

struct v0 {
	struct text text;
	const char *start;   /* after "_R": back references count from here */
	const char *s;       /* where we are */
	int depth;
	int steps;           /* back references followed: each can double the work */
	bool silent;         /* parse only */
	unsigned lifetimes;  /* bound by the binders around */
};

enum { V0_STEPS_MAX = 512, PUNY_MAX = 128 };

static bool v0_path(struct v0 *d, bool in_value);
static bool v0_type(struct v0 *d);

static void say_n(struct v0 *d, const char *s, size_t len)
{
	if (!d->silent)
		put(&d->text, s, len);
}

static void say_text(struct v0 *d, const char *s)
{
	say_n(d, s, strlen(s));
}

static bool eat(struct v0 *d, char c)
{
	if (*d->s != c)
		return false;
	d->s++;
	return true;
}

static int base62_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 36;
	return -1;
}

/* "_" is 0, "0_" is 1 and so on. */
static bool base62(struct v0 *d, uint64_t *ret)
{
	uint64_t value = 0;

	if (eat(d, '_')) {
		*ret = 0;
		return true;
	}
	while (!eat(d, '_')) {
		int digit = base62_digit(*d->s);

		if (digit < 0 || value > UINT64_MAX / 62 - 62)
			return false;
		value = value * 62 + (uint64_t)digit;
		d->s++;
	}
	*ret = value + 1;
	return true;
}

/* [<tag> <base-62-number>]: 0 without it, else one more than the number. */
static bool optional62(struct v0 *d, char tag, uint64_t *ret)
{
	*ret = 0;
	if (!eat(d, tag))
		return true;
	if (!base62(d, ret))
		return false;
	(*ret)++;
	return true;
}

/* RFC 3492 with its parameters for IDNA; the delimiter is "_" here. */
static size_t puny_adapt(size_t delta, size_t points, bool first)
{
	size_t k = 0;

	delta = first ? delta / 700 : delta / 2;
	delta += delta / points;
	for (; delta > 35 * 26 / 2; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

/* One number with variable digits; false at the end or on nonsense. */
static bool puny_number(const char **s, const char *end, size_t bias, size_t *i)
{
	size_t weight = 1;

	for (size_t k = 36;; k += 36) {
		size_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias, digit;

		if (*s == end || weight > UINT32_MAX)
			return false;
		digit = **s >= 'a' && **s <= 'z' ? (size_t)(**s - 'a') :
			**s >= '0' && **s <= '9' ? (size_t)(**s - '0') + 26 : 36;
		if (digit == 36)
			return false;
		(*s)++;
		*i += digit * weight;
		if (digit < t)
			return *i <= UINT32_MAX;
		weight *= 36 - t;
	}
}

static bool puny_decode(const char *s, size_t len, uint32_t out[PUNY_MAX], size_t *ret_len)
{
	size_t n = 128, i = 0, bias = 72, count = 0;
	const char *end = s + len, *delimiter = memrchr(s, '_', len);

	if (delimiter) {
		if (delimiter - s >= PUNY_MAX)
			return false;
		while (s < delimiter)
			out[count++] = (unsigned char)*s++;
		s++;
	}
	while (s < end) {
		size_t old = i;

		if (count == PUNY_MAX || !puny_number(&s, end, bias, &i))
			return false;
		bias = puny_adapt(i - old, count + 1, old == 0);
		n += i / (count + 1);
		i %= count + 1;
		if (n > 0x10ffff)
			return false;
		memmove(out + i + 1, out + i, (count - i) * sizeof(*out));
		out[i++] = (uint32_t)n;
		count++;
	}
	*ret_len = count;
	return true;
}

static bool say_puny(struct v0 *d, const char *s, size_t len)
{
	uint32_t points[PUNY_MAX];
	size_t count;

	if (!puny_decode(s, len, points, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		char utf8[4];

		say_n(d, utf8, utf8_put(utf8, points[i]));
	}
	return true;
}

struct ident {
	const char *s;
	size_t len;
	bool puny;
	uint64_t number;     /* its disambiguator */
};

static bool v0_ident(struct v0 *d, struct ident *id)
{
	if (!optional62(d, 's', &id->number))
		return false;
	id->puny = eat(d, 'u');
	if (!take_decimal(&d->s, &id->len))
		return false;
	eat(d, '_');
	id->s = d->s;
	if (strnlen(d->s, id->len) < id->len)
		return false;
	d->s += id->len;
	return true;
}

static bool say_ident(struct v0 *d, const struct ident *id)
{
	if (id->puny)
		return say_puny(d, id->s, id->len);
	say_n(d, id->s, id->len);
	return true;
}

/* Where a back reference leads: earlier than where it stands. */
static bool v0_backref(struct v0 *d, bool (*then)(struct v0 *d, bool in_value), bool in_value)
{
	const char *tag = d->s - 1, *after;
	uint64_t at;
	bool good;

	if (!base62(d, &at) || at >= (uint64_t)(tag - d->start) || ++d->steps > V0_STEPS_MAX)
		return false;
	if (d->silent)
		return true;
	after = d->s;
	d->s = d->start + at;
	good = then(d, in_value);
	d->s = after;
	return good;
}

static bool type_of(struct v0 *d, bool in_value)
{
	(void)in_value;
	return v0_type(d);
}

/* A small letter each. */
static const char *basic_type(char c)
{
	static const char *const names['z' - 'a' + 1] = {
		['b' - 'a'] = "bool", ['c' - 'a'] = "char", ['e' - 'a'] = "str",
		['u' - 'a'] = "()", ['a' - 'a'] = "i8", ['s' - 'a'] = "i16", ['l' - 'a'] = "i32",
		['x' - 'a'] = "i64", ['n' - 'a'] = "i128", ['i' - 'a'] = "isize", ['h' - 'a'] = "u8",
		['t' - 'a'] = "u16", ['m' - 'a'] = "u32", ['y' - 'a'] = "u64", ['o' - 'a'] = "u128",
		['j' - 'a'] = "usize", ['f' - 'a'] = "f32", ['d' - 'a'] = "f64", ['z' - 'a'] = "!",
		['p' - 'a'] = "_", ['v' - 'a'] = "...",
	};

	return c >= 'a' && c <= 'z' ? names[c - 'a'] : NULL;
}

static void say_lifetime(struct v0 *d, uint64_t number)
{
	char name[24];

	if (number == 0)
		say_text(d, "'_");
	else if (number > d->lifetimes)
		d->text.full = true; /* bound by nobody */
	else if (d->lifetimes - number < 26)
		say_n(d, name, (size_t)snprintf(name, sizeof(name), "'%c",
						(int)('a' + d->lifetimes - number)));
	else
		say_n(d, name, (size_t)snprintf(name, sizeof(name), "'_%u",
						(unsigned)(d->lifetimes - number)));
}

/* [G <base-62-number>]: "for<'a, 'b> "; the caller takes the lifetimes back. */
static bool v0_binder(struct v0 *d)
{
	uint64_t count;

	if (!optional62(d, 'G', &count) || count > DEMANGLE_DEPTH_MAX)
		return false;
	if (count == 0)
		return true;
	say_text(d, "for<");
	for (uint64_t i = 0; i < count; i++) {
		if (i)
			say_text(d, ", ");
		d->lifetimes++;
		say_lifetime(d, 1);
	}
	say_text(d, "> ");
	return true;
}

/* The hex digits of a constant's value up to "_"; shown in decimal when they fit. */
static bool v0_number(struct v0 *d, uint64_t *ret, const char **ret_hex, size_t *ret_len)
{
	size_t len = strspn(d->s, "0123456789abcdef");

	if (d->s[len] != '_')
		return false;
	*ret_hex = d->s;
	*ret_len = len;
	*ret = len && len <= 16 ? strtoull(d->s, NULL, 16) : 0;
	d->s += len + 1;
	return true;
}

static bool v0_const(struct v0 *d, bool in_value)
{
	char type = *d->s, text[24], utf8[4];
	const char *hex;
	uint64_t value;
	bool negative;
	size_t len;

	(void)in_value;
	if (type)
		d->s++;
	if (type == 'p') {
		say_text(d, "_");
		return true;
	}
	if (type == 'B')
		return v0_backref(d, v0_const, false);
	if (!type || !strchr("aslxnihtmyojbc", type))
		return false; /* structures and the like: rare */
	negative = eat(d, 'n');
	if (!v0_number(d, &value, &hex, &len))
		return false;
	if (negative)
		say_text(d, "-");
	if (type == 'b') {
		say_text(d, value ? "true" : "false");
	} else if (type == 'c') {
		if (value < 0x20 || value > 0x10ffff)
			return false;
		say_text(d, "'");
		say_n(d, utf8, utf8_put(utf8, (uint32_t)value));
		say_text(d, "'");
	} else if (len > 16) {
		say_text(d, "0x");
		say_n(d, hex, len);
	} else {
		say_n(d, text, (size_t)snprintf(text, sizeof(text), "%llu",
						(unsigned long long)value));
	}
	return true;
}

static bool v0_generic_arg(struct v0 *d)
{
	uint64_t number;

	if (eat(d, 'L')) {
		if (!base62(d, &number))
			return false;
		say_lifetime(d, number);
		return true;
	}
	return eat(d, 'K') ? v0_const(d, false) : v0_type(d);
}

/* Items up to "E" with ", " between; how many, or -1. */
static int v0_list(struct v0 *d, bool (*item)(struct v0 *d))
{
	int count = 0;

	for (; !eat(d, 'E'); count++) {
		if (*d->s == '\0' || d->text.full)
			return -1;
		if (count)
			say_text(d, ", ");
		if (!item(d))
			return -1;
	}
	return count;
}

static bool v0_tuple(struct v0 *d)
{
	int count;

	say_text(d, "(");
	count = v0_list(d, v0_type);
	say_text(d, count == 1 ? ",)" : ")");
	return count >= 0;
}

static bool v0_array(struct v0 *d, bool sized)
{
	say_text(d, "[");
	if (!v0_type(d))
		return false;
	if (sized) {
		say_text(d, "; ");
		if (!v0_const(d, false))
			return false;
	}
	say_text(d, "]");
	return true;
}

static bool v0_reference(struct v0 *d, const char *what, const char *mutability)
{
	uint64_t number;

	say_text(d, what);
	if (eat(d, 'L')) {
		if (!base62(d, &number))
			return false;
		if (number) {
			say_lifetime(d, number);
			say_text(d, " ");
		}
	}
	say_text(d, mutability);
	return v0_type(d);
}

/* The name of a calling convention; "_" stands for "-". */
static bool v0_abi(struct v0 *d)
{
	struct ident id;

	if (!eat(d, 'K'))
		return true;
	if (eat(d, 'C')) {
		say_text(d, "extern \"C\" ");
		return true;
	}
	if (!v0_ident(d, &id) || id.puny)
		return false;
	say_text(d, "extern \"");
	for (size_t i = 0; i < id.len; i++)
		say_n(d, id.s[i] == '_' ? "-" : &id.s[i], 1);
	say_text(d, "\" ");
	return true;
}

static bool v0_function(struct v0 *d)
{
	unsigned lifetimes = d->lifetimes;

	if (!v0_binder(d))
		return false;
	if (eat(d, 'U'))
		say_text(d, "unsafe ");
	if (!v0_abi(d))
		return false;
	say_text(d, "fn(");
	if (v0_list(d, v0_type) < 0)
		return false;
	say_text(d, ")");
	if (!eat(d, 'u')) {
		say_text(d, " -> ");
		if (!v0_type(d))
			return false;
	}
	d->lifetimes = lifetimes;
	return true;
}

/* A trait's path whose generic arguments stay open for "Item = …"; *ret_open: "<" was said. */
static bool v0_open_path(struct v0 *d, bool *ret_open)
{
	*ret_open = false;
	if (eat(d, 'B')) {
		const char *tag = d->s - 1, *after;
		uint64_t at;
		bool good;

		if (!base62(d, &at) || at >= (uint64_t)(tag - d->start) ||
		    ++d->steps > V0_STEPS_MAX)
			return false;
		if (d->silent)
			return true;
		after = d->s;
		d->s = d->start + at;
		good = ++d->depth < DEMANGLE_DEPTH_MAX && v0_open_path(d, ret_open);
		d->depth--;
		d->s = after;
		return good;
	}
	if (!eat(d, 'I'))
		return v0_path(d, false);
	if (!v0_path(d, false))
		return false;
	say_text(d, "<");
	*ret_open = true;
	return v0_list(d, v0_generic_arg) >= 0;
}

static bool v0_bounds(struct v0 *d)
{
	bool open;

	if (!v0_open_path(d, &open))
		return false;
	while (eat(d, 'p')) {
		struct ident id;

		say_text(d, open ? ", " : "<");
		open = true;
		if (!v0_ident(d, &id) || !say_ident(d, &id))
			return false;
		say_text(d, " = ");
		if (!v0_type(d))
			return false;
	}
	if (open)
		say_text(d, ">");
	return true;
}

static bool v0_dyn(struct v0 *d)
{
	unsigned lifetimes = d->lifetimes;
	uint64_t number;

	say_text(d, "dyn ");
	if (!v0_binder(d))
		return false;
	for (int i = 0; !eat(d, 'E'); i++) {
		if (*d->s == '\0')
			return false;
		if (i)
			say_text(d, " + ");
		if (!v0_bounds(d))
			return false;
	}
	d->lifetimes = lifetimes;
	if (!eat(d, 'L') || !base62(d, &number))
		return false;
	if (number) {
		say_text(d, " + ");
		say_lifetime(d, number);
	}
	return true;
}

static bool type_at(struct v0 *d)
{
	const char *basic = basic_type(*d->s);
	char tag = *d->s;

	if (basic) {
		d->s++;
		say_text(d, basic);
		return true;
	}
	if (!tag || !strchr("ASTRQPOFDB", tag))
		return v0_path(d, false);
	d->s++;
	switch (tag) {
	case 'A': return v0_array(d, true);
	case 'S': return v0_array(d, false);
	case 'T': return v0_tuple(d);
	case 'R': return v0_reference(d, "&", "");
	case 'Q': return v0_reference(d, "&", "mut ");
	case 'P': return v0_reference(d, "*const ", "");
	case 'O': return v0_reference(d, "*mut ", "");
	case 'F': return v0_function(d);
	case 'D': return v0_dyn(d);
	default: return v0_backref(d, type_of, false);
	}
}

static bool v0_type(struct v0 *d)
{
	bool good = ++d->depth < DEMANGLE_DEPTH_MAX && !d->text.full && type_at(d);

	d->depth--;
	return good;
}

/* <path> of an impl block: parsed, not shown. */
static bool v0_impl_path(struct v0 *d)
{
	bool silent = d->silent, good;
	uint64_t number;

	d->silent = true;
	good = optional62(d, 's', &number) && v0_path(d, false);
	d->silent = silent;
	return good;
}

/* N <namespace> <path> <identifier> */
static bool v0_nested(struct v0 *d, bool in_value)
{
	char space = *d->s, number[24];
	struct ident id;

	if (!((space >= 'a' && space <= 'z') || (space >= 'A' && space <= 'Z')))
		return false;
	d->s++;
	if (!v0_path(d, in_value) || !v0_ident(d, &id))
		return false;
	if (space >= 'a' && space <= 'z') {
		if (id.len)
			say_text(d, "::");
		return say_ident(d, &id);
	}
	say_text(d, "::{");
	if (space == 'C')
		say_text(d, "closure");
	else if (space == 'S')
		say_text(d, "shim");
	else
		say_n(d, &space, 1);
	if (id.len) {
		say_text(d, ":");
		if (!say_ident(d, &id))
			return false;
	}
	say_n(d, number, (size_t)snprintf(number, sizeof(number), "#%llu}",
					  (unsigned long long)id.number));
	return true;
}

static bool v0_generics(struct v0 *d, bool in_value)
{
	if (!v0_path(d, in_value))
		return false;
	say_text(d, in_value ? "::<" : "<");
	if (v0_list(d, v0_generic_arg) < 0)
		return false;
	say_text(d, ">");
	return true;
}

/* <T> and <T as Trait>. */
static bool v0_qualified(struct v0 *d, bool with_trait)
{
	say_text(d, "<");
	if (!v0_type(d))
		return false;
	if (with_trait) {
		say_text(d, " as ");
		if (!v0_path(d, false))
			return false;
	}
	say_text(d, ">");
	return true;
}

static bool path_at(struct v0 *d, bool in_value)
{
	struct ident id;
	char tag = *d->s;

	if (tag)
		d->s++;
	switch (tag) {
	case 'C': return v0_ident(d, &id) && say_ident(d, &id);
	case 'M': return v0_impl_path(d) && v0_qualified(d, false);
	case 'X': return v0_impl_path(d) && v0_qualified(d, true);
	case 'Y': return v0_qualified(d, true);
	case 'N': return v0_nested(d, in_value);
	case 'I': return v0_generics(d, in_value);
	case 'B': return v0_backref(d, v0_path, in_value);
	default: return false;
	}
}

static bool v0_path(struct v0 *d, bool in_value)
{
	bool good = ++d->depth < DEMANGLE_DEPTH_MAX && !d->text.full && path_at(d, in_value);

	d->depth--;
	return good;
}

bool demangle_rust_v0(const char *name, char *out, size_t size)
{
	struct v0 d = { .text = { .out = out, .size = size }, .start = name + 2, .s = name + 2 };

	if (strncmp(name, "_R", 2) != 0 || strnlen(name, DEMANGLE_IN_MAX + 1) > DEMANGLE_IN_MAX ||
	    !v0_path(&d, true))
		return false;
	/* The crate it was made for may follow. */
	d.silent = true;
	if (*d.s && *d.s != '.' && !v0_path(&d, false))
		return false;
	return (*d.s == '\0' || *d.s == '.') && !d.text.full && d.text.len > 0;
}
