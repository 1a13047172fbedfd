/* SPDX-License-Identifier: MIT
 * A function whose call frame information is in .debug_frame only. */
#include <stddef.h>

__asm__(".cfi_sections .debug_frame");

void *unwind_debug_frame(void (*call)(void *), void *arg, size_t n);

__attribute__((noinline)) void *unwind_debug_frame(void (*call)(void *), void *arg, size_t n)
{
	volatile char local[48];

	local[n % sizeof(local)] = 1;
	call(arg);
	return local[n % sizeof(local)] ? arg : NULL;
}
