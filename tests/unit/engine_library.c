/* SPDX-License-Identifier: MIT
 * A library of frames of many shapes, built by test-engine in many ways. It calls back. */
#include <alloca.h>
#include <stddef.h>

typedef int callback(int);
int enter(callback *call, int n);

#define NOINLINE __attribute__((noinline))
#define KEEP(x) __asm__ volatile("" : "+r"(x))

NOINLINE static int leaf(int n)
{
	for (int i = 0; i < 20; i++)
		KEEP(n);
	return n * 3 + 1;
}

NOINLINE static int many(int a, int b, int c, int d, int e, int f, int g, int h)
{
	int x = leaf(a), y = leaf(b), z = leaf(c);

	x += leaf(d) * y + leaf(e) * z;
	KEEP(x);
	return x + a + b * f + c * g + d * h + leaf(e + y);
}

NOINLINE static int area(callback *call, int n)
{
	volatile char big[400];

	big[n & 255] = (char)n;
	n = call(n);
	KEEP(n);
	return n + big[n & 255];
}

NOINLINE static int on_alloca(callback *call, int n)
{
	volatile char *p = alloca((size_t)(n & 127) + 16);

	p[n & 15] = 1;
	n = area(call, n) + p[n & 15];
	KEEP(n);
	return n;
}

NOINLINE static int tail(callback *call, int n)
{
	return call(n + 1);
}

NOINLINE static int down(callback *call, int n, int depth)
{
	int x = depth > 0 ? down(call, n + 1, depth - 1) : on_alloca(call, n);

	KEEP(x);
	return x + many(n, 1, 2, 3, 4, 5, 6, x);
}

/* The usual first instructions of hot functions: nothing is pushed before an early return. */
NOINLINE static int early(callback *call, int n)
{
	if (n < 0)
		return 1;
	return tail(call, n) + leaf(n);
}

int enter(callback *call, int n)
{
	int x = down(call, n, 3) + early(call, -n) + early(call, n & 0xff);

	KEEP(x);
	return x + leaf(x);
}
