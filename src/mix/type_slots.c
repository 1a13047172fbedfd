/* SPDX-License-Identifier: MIT
 * Slots of PyTypeObject: Include/typeslots.h, Include/cpython/object.h, names as in slotdefs
 * (Objects/typeobject.c). */
#include "type_slots.h"

#include "util/attr.h"

/* Words of PyTypeObject, from tp_name on. */
enum { TYPE = 0, ASYNC = 7, NUMBER = 9, SEQUENCE = 10, MAPPING = 11, BUFFER = 17 };

const struct type_slot type_slots[] = {
	{ 52, TYPE, 3, "tp_dealloc", 0 }, { 57, TYPE, 5, "__getattribute__", 0 },
	{ 68, TYPE, 6, "tp_setattr", 0 }, { 66, TYPE, 8, "__repr__", 0 },
	{ 59, TYPE, 12, "__hash__", 0 }, { 50, TYPE, 13, "__call__", 0 },
	{ 70, TYPE, 14, "__str__", 0 }, { 58, TYPE, 15, "__getattribute__", 0 },
	{ 69, TYPE, 16, "tp_setattro", 0 }, { 71, TYPE, 20, "tp_traverse", 0 },
	{ 51, TYPE, 21, "tp_clear", 0 }, { 67, TYPE, 22, "tp_richcompare", 0 },
	{ 62, TYPE, 24, "__iter__", 0 }, { 63, TYPE, 25, "__next__", 0 },
	{ 54, TYPE, 31, "__get__", 0 }, { 55, TYPE, 32, "tp_descr_set", 0 },
	{ 60, TYPE, 34, "__init__", 0 }, { 47, TYPE, 35, "tp_alloc", 0 },
	{ 65, TYPE, 36, "__new__", 0 }, { 74, TYPE, 37, "tp_free", 0 },
	{ 61, TYPE, 38, "tp_is_gc", 0 }, { 53, TYPE, 44, "__del__", 0 },
	{ 80, TYPE, 46, "__del__", 0 }, { 82, TYPE, 47, "tp_vectorcall", 8 },

	{ 77, ASYNC, 0, "__await__", 0 }, { 78, ASYNC, 1, "__aiter__", 0 },
	{ 79, ASYNC, 2, "__anext__", 0 }, { 81, ASYNC, 3, "am_send", 10 },

	{ 7, NUMBER, 0, "__add__", 0 }, { 36, NUMBER, 1, "__sub__", 0 },
	{ 29, NUMBER, 2, "__mul__", 0 }, { 34, NUMBER, 3, "__mod__", 0 },
	{ 10, NUMBER, 4, "__divmod__", 0 }, { 33, NUMBER, 5, "__pow__", 0 },
	{ 30, NUMBER, 6, "__neg__", 0 }, { 32, NUMBER, 7, "__pos__", 0 },
	{ 6, NUMBER, 8, "__abs__", 0 }, { 9, NUMBER, 9, "__bool__", 0 },
	{ 27, NUMBER, 10, "__invert__", 0 }, { 28, NUMBER, 11, "__lshift__", 0 },
	{ 35, NUMBER, 12, "__rshift__", 0 }, { 8, NUMBER, 13, "__and__", 0 },
	{ 38, NUMBER, 14, "__xor__", 0 }, { 31, NUMBER, 15, "__or__", 0 },
	{ 26, NUMBER, 16, "__int__", 0 }, { 11, NUMBER, 18, "__float__", 0 },
	{ 14, NUMBER, 19, "__iadd__", 0 }, { 23, NUMBER, 20, "__isub__", 0 },
	{ 18, NUMBER, 21, "__imul__", 0 }, { 21, NUMBER, 22, "__imod__", 0 },
	{ 20, NUMBER, 23, "__ipow__", 0 }, { 17, NUMBER, 24, "__ilshift__", 0 },
	{ 22, NUMBER, 25, "__irshift__", 0 }, { 15, NUMBER, 26, "__iand__", 0 },
	{ 25, NUMBER, 27, "__ixor__", 0 }, { 19, NUMBER, 28, "__ior__", 0 },
	{ 12, NUMBER, 29, "__floordiv__", 0 }, { 37, NUMBER, 30, "__truediv__", 0 },
	{ 16, NUMBER, 31, "__ifloordiv__", 0 }, { 24, NUMBER, 32, "__itruediv__", 0 },
	{ 13, NUMBER, 33, "__index__", 0 }, { 75, NUMBER, 34, "__matmul__", 0 },
	{ 76, NUMBER, 35, "__imatmul__", 0 },

	{ 45, SEQUENCE, 0, "__len__", 0 }, { 40, SEQUENCE, 1, "__add__", 0 },
	{ 46, SEQUENCE, 2, "__mul__", 0 }, { 44, SEQUENCE, 3, "__getitem__", 0 },
	{ 39, SEQUENCE, 5, "sq_ass_item", 0 }, { 41, SEQUENCE, 7, "__contains__", 0 },
	{ 42, SEQUENCE, 8, "__iadd__", 0 }, { 43, SEQUENCE, 9, "__imul__", 0 },

	{ 4, MAPPING, 0, "__len__", 0 }, { 5, MAPPING, 1, "__getitem__", 0 },
	{ 3, MAPPING, 2, "mp_ass_subscript", 0 },

	{ 1, BUFFER, 0, "bf_getbuffer", 0 }, { 2, BUFFER, 1, "bf_releasebuffer", 0 },
};
const size_t type_slot_count = ARRAY_SIZE(type_slots);

/* 1 to 4 have other numbers in what is compiled for 3.15 (Include/slots_generated.h). */
enum { RENUMBERED = 88, RENUMBERED_BY = 87, RENUMBERED_LAST = 91 };

const struct type_slot *type_slot_by_number(uint64_t number)
{
	if (number >= RENUMBERED && number <= RENUMBERED_LAST)
		number -= RENUMBERED_BY;
	for (size_t i = 0; i < type_slot_count; i++)
		if (type_slots[i].number == number)
			return &type_slots[i];
	return NULL;
}
