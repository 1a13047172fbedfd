/* SPDX-License-Identifier: MIT
 * C functions that call back, for targets/mixed.py and the tests of unwinding. Built by driver/build.py at
 * the time of the test, in several ways. Names begin with mixed_, so that they are like nobody else's. */
#include <stdlib.h>

typedef int mixed_callback(int);
typedef int mixed_comparison(const void *, const void *);

/* Not inlined, not made a jump, not copied: the frames that the test expects are there. */
#define FRAME __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls")))
#ifdef __clang__
#undef FRAME
#define FRAME __attribute__((noinline, disable_tail_calls))
#endif

static volatile int sink;

FRAME int mixed_innermost(mixed_callback *call, int n)
{
	volatile char room[40] = { 0 };
	int r = call(n);

	room[n & 31] = (char)r;
	return r + room[0];
}

/* Three frames of its own, of different sizes, one of them with a frame pointer because of its array. */
FRAME int mixed_middle(mixed_callback *call, int n)
{
	volatile char room[n % 7 * 16 + 16];
	int r;

	room[0] = (char)n;
	r = mixed_innermost(call, n);
	return r + room[0];
}

FRAME int mixed_call(mixed_callback *call, int n)
{
	volatile long long a = n, b = n * 3, c = n * 5;
	int r = mixed_middle(call, n);

	sink = r;
	return (int)(r + a + b + c);
}

FRAME int mixed_recurse(mixed_callback *call, int depth)
{
	int r = depth ? mixed_recurse(call, depth - 1) : call(depth);

	sink = r;
	return r + 1;
}

FRAME void mixed_sort(int *numbers, size_t count, mixed_comparison *compare)
{
	qsort(numbers, count, sizeof(*numbers), compare);
	sink = numbers[0];
}

/* A leaf without calls. */
FRAME unsigned mixed_spin(unsigned rounds)
{
	unsigned x = 1;

	for (unsigned i = 0; i < rounds; i++)
		x = x * 1664525u + 1013904223u + (x >> 7);
	sink = (int)x;
	return x;
}
