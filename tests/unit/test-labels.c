/* SPDX-License-Identifier: MIT
 * Labels: what is taken, what is refused, and their order. */
#include "ship/labels.h"

#include <stdlib.h>

#include "tap.h"
#include "util/xalloc.h"

static const struct {
	const char *text;
	int ret;
} cases[] = {
	{ "a=b", 0 },
	{ "service_name=api", 0 },
	{ "_x9=with = and , and }", 0 },
	{ "pid=1", 0 },
	{ "gone=", 0 },
	{ "h\xc3\xa9=x", -EINVAL },
	{ "v=h\xc3\xa9", 0 },
	{ "v=h\xc3", -EINVAL },
	{ "=x", -EINVAL },
	{ "nothing", -EINVAL },
	{ "", -EINVAL },
	{ "9a=x", -EINVAL },
	{ "a b=x", -EINVAL },
	{ "a.b=x", -EINVAL },
	{ "a-b=x", -EINVAL },
	{ "__name__=x", -EINVAL },
	{ "__x=x", -EINVAL },
	{ "profile_id=x", -EINVAL },
	{ "span_id=x", -EINVAL },
	{ "trace_id=x", -EINVAL },
	{ "app_name=x", -EINVAL },
	{ "pyroscope_spy=x", -EINVAL },
	{ "pyroscope_spy=", -EINVAL },
	{ "profile_identity=x", 0 },
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct labels l = { .count = 0 };
		struct err err = { 0 };

		is_int(labels_parse(&l, cases[i].text, &err), cases[i].ret, cases[i].text);
		ok(cases[i].ret ? err.status == EXIT_USAGE && *err.text : !err.status, "and is %s",
		   cases[i].ret ? "explained" : "no error");
		labels_release(&l);
	}
}

static void test_order(void)
{
	struct labels l = { .count = 0 }, copy;

	is_int(labels_set(&l, "b", "2", NULL), 0, "set b");
	is_int(labels_set(&l, "a", "1", NULL), 0, "set a");
	is_int(labels_set(&l, "c", "3", NULL), 0, "set c");
	is_int(labels_set(&l, "b", "two", NULL), 0, "replace b");
	is_int((long long)l.count, 3, "three labels");
	is_str(l.list[0].name, "a", "in order: a");
	is_str(l.list[1].name, "b", "b");
	is_str(l.list[2].name, "c", "c");
	is_str(labels_get(&l, "b"), "two", "replaced");
	is_str(labels_get(&l, "d"), NULL, "absent");
	labels_copy(&copy, &l);
	is_int(labels_set(&l, "a", "", NULL), 0, "an empty value");
	is_str(labels_get(&l, "a"), NULL, "removes");
	is_str(l.list[0].name, "b", "the others move up");
	is_str(labels_get(&copy, "a"), "1", "the copy has it still");
	is_int(labels_parse(&l, "e=f=g", NULL), 0, "the first = counts");
	is_str(labels_get(&l, "e"), "f=g", "value with =");
	labels_release(&l);
	labels_release(&copy);
	is_int((long long)l.count, 0, "released");
}

static void test_limits(void)
{
	struct labels l = { .count = 0 };
	struct err err = { 0 };
	char name[LABELS_NAME_BYTES + 2], value[LABELS_VALUE_BYTES + 2];

	for (unsigned i = 0; i < LABELS_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ok(!labels_set(&l, name, "v", NULL), "label %u", i);
	}
	is_int(labels_set(&l, "more", "v", &err), -E2BIG, "no more");
	is_int(err.status, EXIT_USAGE, "is said");
	is_int(labels_set(&l, "more", "", NULL), 0, "to remove what is not there is no error");
	is_int(labels_set(&l, "n3", "other", NULL), 0, "replacing needs no place");
	memset(name, 'n', sizeof(name));
	name[LABELS_NAME_BYTES + 1] = '\0';
	is_int(labels_set(&l, name, "", NULL), -EINVAL, "a long name");
	name[LABELS_NAME_BYTES] = '\0';
	is_int(labels_set(&l, name, "", NULL), 0, "the longest name");
	memset(value, 'v', sizeof(value));
	value[LABELS_VALUE_BYTES + 1] = '\0';
	is_int(labels_set(&l, "n3", value, NULL), -EINVAL, "a long value");
	value[LABELS_VALUE_BYTES] = '\0';
	is_int(labels_set(&l, "n3", value, NULL), 0, "the longest value");
	labels_release(&l);
}

int main(void)
{
	test_cases();
	test_order();
	test_limits();
	return tap_done();
}
